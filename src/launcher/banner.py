"""What `tokenok up` says once everything serves: where it is, the demo's secrets, and requests to paste."""

import shlex
from decimal import Decimal
from pathlib import Path

from launcher.secrets import Demo

_NANO = Decimal(1_000_000_000)


def banner(
    *,
    origin: str,
    console: str,
    demo: Demo | None,
    model: str,
    logs: Path,
    data: Path | None,
    way_in: str = "",
    mails: Path | None = None,
) -> str:
    """All of it. The requests work as printed: nothing in them is indented. `data` if it is not in its usual place, `mails` where
    mails are written instead of being sent.
    """
    head = f"\nTokenok is ready.\n\n  API        {origin}/v1\n  Console    {console}/\n"
    foot = f"\nLogs are in {logs}. Ctrl-C stops everything."
    if mails is not None:
        foot = f"\nMails are not sent but written to {mails}: set SMTP_URL and MAIL_FROM to send them.{foot}"
    if demo is None:
        return f"{head}{_first_sign_in(console, way_in) if way_in else ''}{foot}"
    if not demo.api_key or not demo.operator_token:
        return (
            f"{head}\nThe demo's key and operator token were told to another data directory, and nobody can tell them "
            f"again: issue new ones with `tokenok`, or begin anew with --reset.\n{foot}"
        )
    where = f" --data {shlex.quote(str(data))}" if data else ""
    return f"""{head}  Operator   {demo.operator_email}   {demo.operator_password}   (sign in to run it)
  Customer   {demo.member_email}   {demo.member_password}   (sign in to use it)
  Token      {demo.operator_token}   (the admin API's bearer token, {origin}/api/admin/docs)
  Account    {demo.account_id}   ({_credits(demo.credits_nano)} demo credits)
  API key    {demo.api_key}

A first request:

curl {origin}/v1/chat/completions \\
  -H "Authorization: Bearer {demo.api_key}" \\
  -H "Content-Type: application/json" \\
  -d '{{"model": "{model}", "messages": [{{"role": "user", "content": "Hello!"}}]}}'

The same with the official SDK (pip install openai), whole and as a stream:

{_snippet(origin=origin, api_key=demo.api_key, model=model)}

What was asked and what it cost, and whether the books are right (in another terminal):

./run requests list{where}
./run ledger verify{where}
{foot}"""


def _first_sign_in(console: str, way_in: str) -> str:
    """Where whoever runs this goes now. Whoever reads this terminal may."""
    return f"""
Begin here. The link makes you the superadmin and then works no more; the console leads on from there:

{console}{way_in}
"""


def _snippet(*, origin: str, api_key: str, model: str) -> str:
    """Python for a file or for the prompt, where an indented block ends with an empty line."""
    return f"""\
from openai import OpenAI

client = OpenAI(base_url="{origin}/v1", api_key="{api_key}")
messages = [{{"role": "user", "content": "Hello!"}}]
answer = client.chat.completions.create(model="{model}", messages=messages)
print(answer.choices[0].message.content)

for chunk in client.chat.completions.create(model="{model}", messages=messages, stream=True):
    print(chunk.choices[0].delta.content or "", end="", flush=True)

print()"""


def _credits(amount_nano: int) -> str:
    """At least two decimals, and no more than the amount has."""
    value = Decimal(amount_nano) / _NANO
    exact = value.normalize()
    return f"{value:,.2f}" if value == value.quantize(Decimal("0.01")) else f"{exact:,f}"

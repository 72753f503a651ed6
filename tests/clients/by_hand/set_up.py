"""Gives a gateway that `tokenok up --ready-file FILE` started the models and keys that the programs here ask for.

`python -m tests.clients.by_hand.set_up FILE [UPSTREAM]` prints them as shell variables. UPSTREAM is where
`tests.clients.scripted_upstream` serves.
"""

import json
import sys
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

import httpx

from tests.clients.aliases import ALIASES, Alias

PRICE: Final = {"input": "0.5", "cached_input": "0.05", "cache_write": "0.5", "output": "1.5", "request": "0"}


class Admin:
    """The admin API, one command a call."""

    def __init__(self, ready: dict[str, Any]) -> None:
        headers = {"authorization": f"Bearer {ready['operator_token']}"}
        origin = ready["base_url"].removesuffix("/v1")
        self._http = httpx.Client(base_url=f"{origin}/api/admin/", headers=headers, timeout=30)

    def do(self, command: str, **fields: Any) -> dict[str, Any]:
        answer = self._http.post(command, json=fields)
        if answer.is_error:
            sys.exit(f"{command}: {answer.text}")
        done: dict[str, Any] = answer.json()
        return done

    def add_alias(self, one: Alias, upstream: str) -> None:
        provider = self.do(
            "providers/register",
            name=one.provider,
            base_url=upstream + one.path,
            dialect=one.dialect,
            usage_dialect="openai",
            trains_on_data=False,
            retention_days=0,
        )
        deployment = self.do(
            "deployments/add",
            provider_id=provider["id"],
            upstream_model="scripted-model",
            context_tokens=128_000,
            output_tokens_max=4_096,
            serves=[one.serves],
            traits=list(one.traits),
        )
        self.do("routes/set", alias=one.name, targets=[{"deployment_id": deployment["id"]}])

    def add_key(self, name: str, *, credits_nano: int, **limits: int) -> str:
        account_id = self.do("accounts/open", name=name)["id"]
        lot = {"lot_id": str(uuid4()), "amount_nano": credits_nano, "source": "promo", "reason": "test"}
        self.do("credit/grant", account_id=account_id, **lot)
        secret: str = self.do("keys/issue", account_id=account_id, name=name, **limits)["secret"]
        return secret


def main(ready_file: str, upstream: str = "http://127.0.0.1:8099") -> None:
    ready = json.loads(Path(ready_file).read_text(encoding="utf-8"))
    admin = Admin(ready)
    for one in ALIASES:
        admin.add_alias(one, upstream)
    admin.do("prices/publish", entries={one.name: PRICE for one in ALIASES}, note="clients")
    found = {
        "TOKENOK_URL": ready["base_url"],
        "TOKENOK_KEY": ready["api_key"],
        "TOKENOK_POOR_KEY": admin.add_key("Poor", credits_nano=1_000),
        "TOKENOK_LIMITED_KEY": admin.add_key("Limited", credits_nano=10**10, rpm=1),
    }
    sys.stdout.writelines(f"export {name}={value}\n" for name, value in found.items())


if __name__ == "__main__":
    main(*sys.argv[1:])

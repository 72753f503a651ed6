"""Settings: the only reader of the environment. Every field is one variable, named in upper case.

A secret may be given by file instead: `DATABASE_URL_FILE=/run/secrets/db` wins over `DATABASE_URL`.
"""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

import msgspec


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """How this process is set up. Durations are seconds, sizes bytes, money nano-credits."""

    database_url: str = ""
    """Postgres; when empty, `tokenok up` starts the embedded one."""
    redis_url: str = ""
    """Redis or Valkey; when empty, `tokenok up` starts the embedded one."""
    tokenok_pg_bin: str = ""
    """A directory with `initdb` and `postgres` to run embedded instead of the wheel's."""
    tokenok_data: str = ""
    """Data root of the embedded servers; default `.tokenok` beside the `run` script."""
    tokenok_master_key: str = ""
    """`KEYID:base64` of 32 bytes, several separated by commas, the first encrypts. Better given by file."""
    tokenok_log_level: str = "info"

    console_url: str = ""
    """The console's address as people type it, such as `https://console.example.com`; `tokenok up` fills in its own."""
    api_url: str = ""
    """Where customers' programs send requests, such as `https://api.example.com`; the console shows it in examples."""
    sign_up: Literal["open", "closed"] = "open"
    """Whether people may open accounts by themselves, where mails are sent; else operators open them."""
    oidc_issuer: str = ""
    """A company's identity provider for operators (OpenID Connect), as it calls itself; needs `CONSOLE_URL`. Its way back is
    `CONSOLE_URL/sign-in/company/back`."""
    oidc_client_id: str = ""
    """What the provider calls this console."""
    oidc_client_secret: str = ""
    """Better given by file."""
    oidc_name: str = "SSO"
    """What stands on the button."""
    public_pages: Literal["on", "off"] = "on"
    """Whether who is not signed in sees a first page, models with their prices, and their state."""
    gateway_url: str = ""
    """Where the console reaches a gateway for its playground, such as `http://gateway:8000`; `API_URL` if it is empty."""
    console_proxies: str = "127.0.0.1"
    """Comma-separated addresses of reverse proxies before the console, whose `X-Forwarded-For` is believed."""

    seal_key: str = ""
    """The sealed log's key (`tokenok seal new-key`): private in the scheduler, public elsewhere. Better given by file."""
    seal_dir: str = ""
    """The sealed log's directory: the scheduler writes it, the others read it."""
    seal_every_s: float = 1.0
    """How long an event may wait to be sealed, while fewer than 10,000 wait."""
    witnesses: str = ""
    """Witnesses of the sealed log: `URL KEY` for each, with commas between. The scheduler asks them, the others check."""
    witness_every_s: float = 60.0
    """How often witnesses are asked for the newest checkpoint, if it has grown."""
    witness_quorum: int = 1
    """How many witnesses must have cosigned a checkpoint before it is published as witnessed."""
    receipt_key: str = ""
    """The private key that signs receipts, named `<name of the log>/receipts`. Better given by file."""

    journal_events_max: int = 4096
    """Events that may wait for a commit in one gateway process; above it requests get 503."""
    journal_batch_max: int = 256
    """Events in one commit."""
    journal_wait_s_max: float = 5.0
    """How long the oldest event may wait before new requests get 503 (ledger rule R5)."""

    archive_dir: str = ""
    """The directory of the archive: parts of the log that have left the database. Every process reads it."""
    archive_segment_events: int = 1_000_000
    """Events in one segment of the archive."""
    archive_rest_s: float = 3600.0
    """How long a part has been closed before it may leave the database."""

    exports_dir: str = ""
    """Where workers put what operators have exported, and the console finds it. Without it there are no exports in the console."""

    lease_valid_s: float = 10.0
    """A lease's owner proves within this time that it lives; the reaper fences after twice of it."""
    lease_charges_max: int = 20_000
    """Charges in one lease stream before it is closed and a new one opened."""
    lease_age_s_max: float = 600.0
    """Age of a lease before it is closed and a new one opened."""
    recall_wait_s: float = 1.0
    """How long a request waits for credit that other processes hold idle before it is refused with 402."""

    adjustment_approval_nano: int = 100_000_000_000
    """Adjustments of credit above it, and taking back a lot with more left, wait for a second operator; 0: all do."""
    prices_need_approval: Literal["on", "off"] = "off"
    """Whether prices wait for a second operator before anything costs them, also those of presets."""
    operators_need_second_factor: Literal["on", "off"] = "off"
    """Whether operators see their console only once they have a second factor. Whoever has none is led to set it up."""
    public_url: str = ""
    """Where this installation is found, such as https://llm.example.com; payment providers send messages, and customers back, there."""
    bank_transfer_to: str = ""
    """Where customers transfer money to, as they read it on an order: account holder, IBAN and so on, with `|` or new lines between them."""
    stripe_secret_key: str = ""
    """Stripe's secret key; `sk_test_...` makes orders of test mode. Off without it. Better given by file."""
    stripe_webhook_secret: str = ""
    """The signing secret of the endpoint `/webhooks/stripe`; two separated by a comma while one is exchanged."""
    stripe_api_base: str = ""
    """Where Stripe's API is, if not at Stripe: a counterpart for tests."""
    alipay_app_id: str = ""
    """Alipay's id of our application. Off without it, `ALIPAY_PRIVATE_KEY` and `ALIPAY_PUBLIC_KEY`."""
    alipay_private_key: str = ""
    """Our key, PEM or the bare Base64 of Alipay's tool. Better given by file."""
    alipay_public_key: str = ""
    """Alipay's own key ("Alipay public key", not the application's), which its answers and messages are checked with."""
    alipay_seller_id: str = ""
    """The seller's id (2088...); messages for another one are refused."""
    alipay_way: str = "page"
    """`page`: customers are sent to Alipay's page; `code`: they scan a code on ours (face-to-face payment must be signed up for)."""
    alipay_gateway: str = ""
    """Another gateway than Alipay's, such as its sandbox; orders are of test mode then."""
    wechat_merchant_id: str = ""
    """WeChat Pay's id of the merchant. Off without all of `WECHAT_...` but `WECHAT_API_BASE`."""
    wechat_app_id: str = ""
    """The application that the merchant is bound to (wx...)."""
    wechat_private_key: str = ""
    """The key of the merchant's API certificate, PEM. Better given by file."""
    wechat_serial: str = ""
    """The serial number of the merchant's API certificate."""
    wechat_api_key: str = ""
    """The APIv3 key, 32 characters, which messages are sealed with. Better given by file."""
    wechat_platform_keys: str = ""
    """WeChat Pay's own keys: platform certificates, or public keys with the id (PUB_KEY_ID_...) on a line before; two while one is exchanged."""
    wechat_api_base: str = ""
    """Where WeChat Pay's API is, if not at WeChat Pay: a counterpart for tests, whose orders are of test mode."""
    webhook_keep_days: int = 30
    """How long the bytes of handled messages of payment providers are kept, and messages to customers' endpoints."""

    smtp_url: str = ""
    """The server that takes mail: `smtp://user:password@host:587` (with STARTTLS), `smtps://...` (TLS at once), or `smtp+insecure://host:25`
    for a relay on the same machine. Better given by file. Without it mail is off, or goes to `MAIL_DIR`."""
    mail_from: str = ""
    """From whom mails are, such as `Example AI <billing@example.com>`; needed with `SMTP_URL`."""
    mail_dir: str = ""
    """A folder in which mails are written as files, where there is no `SMTP_URL`; `tokenok up` fills in its own."""
    mail_keep_days: int = 90
    """How long is known that a mail was sent; what it said is dropped when it has left."""

    body_log_days: int = 7
    """How many days kept requests and answers stay, today included; see `tokenok bodies set`."""
    body_log_bytes_max: int = 256 * 1024
    """How much of a request, and of its answer, is kept."""
    body_log_queue_bytes: int = 64 * 1024 * 1024
    """Kept requests and answers that may wait for the database in one gateway process; above it they are dropped."""

    body_bytes_max: int = 32 * 1024 * 1024
    """The largest request body on `/v1`; above it 413."""
    upload_bytes_max: int = 256 * 1024 * 1024
    """The largest form (sound, pictures) on `/v1`; above it 413. What is above 1 MiB waits in a temporary file."""
    uploads_bytes_max: int = 4 * 1024 * 1024 * 1024
    """All forms under way in one process together; above it 503."""
    idempotency_keep_s: float = 86_400.0
    """How long the answer to a request with an `Idempotency-Key` is kept; that it was charged is known for ever."""
    idempotency_answer_bytes_max: int = 1024 * 1024
    """The longest answer that is kept for such a request."""
    idempotency_buffers_bytes_max: int = 64 * 1024 * 1024
    """All such answers under way in one process together; what does not fit is served and not kept."""
    upstream_connect_s: float = 5.0
    upstream_first_byte_s: float = 60.0
    upstream_idle_s: float = 60.0
    upstream_total_s: float = 600.0
    ping_s: float = 15.0
    """Silence on a stream after which the client gets a `: ping` comment."""
    client_write_s: float = 60.0
    """A client that takes nothing of its answer for so long (at most half as long again) counts as gone."""
    drain_s: float = 20.0
    """How long an upstream is read on for its usage after the client has left."""
    allow_private_webhooks: str = ""
    """Comma-separated hosts or networks on private addresses that customers' webhook endpoints may be at; http is allowed there."""
    allow_private_upstreams: str = ""
    """Comma-separated hosts or networks on private addresses that a provider may point to."""


class BadSetting(Exception):
    """A variable cannot be used; the message names it and what it must be. Nothing was started."""


def from_environment(environ: Mapping[str, str] | None = None) -> Settings:
    """Read the settings.

    Raises:
        BadSetting: a value has the wrong type, or a `_FILE` cannot be read.
    """
    env = os.environ if environ is None else environ
    values: dict[str, str] = {}
    for field in msgspec.structs.fields(Settings):
        name = field.name.upper()
        file_name = env.get(f"{name}_FILE")
        if file_name:
            values[field.name] = _read_secret(name, Path(file_name))
        elif name in env:
            values[field.name] = env[name]
    try:
        return msgspec.convert(values, Settings, strict=False)
    except msgspec.ValidationError as error:
        wanted, _, place = str(error).partition(" - at `$.")
        name = place.rstrip("`").upper() or "a setting"
        raise BadSetting(f"{name} cannot be used: {wanted.partition(',')[0].lower()}") from None


def require(settings: Settings, *names: str) -> None:
    """Refuse settings without these fields.

    Raises:
        BadSetting: one of them is empty.
    """
    missing = [name.upper() for name in names if not getattr(settings, name)]
    if missing:
        raise BadSetting(f"{' and '.join(missing)} must be set: where to find it")


def _read_secret(name: str, path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8").strip()
    except OSError as error:
        raise BadSetting(f"{name}_FILE: cannot read {path}: {error.strerror}") from None

"""What `tokenok up` keeps in the data root and shows to nobody else: its keys and the demo's secrets."""

import base64
import json
import secrets
from dataclasses import asdict, dataclass, field
from pathlib import Path

from adapters.embedded.private_file import write_private
from adapters.sealing.ed25519 import new_key
from domain.sealing.notes import receipts_name
from launcher.plan import DemoSeed

_KEY_NAME = "master.key"
_SEAL_KEY_NAME = "seal.key"
_RECEIPT_KEY_NAME = "receipt.key"
_SEAL_NAME = "seal"
_DEMO_NAME = "demo.json"
_EXPORTS_NAME = "exports"
_MAIL_NAME = "mail"
_KEY_BYTES = 32
_LOG_NAME_BYTES = 4
#: What a reset removes, besides the servers' data.
NAMES = (_KEY_NAME, _SEAL_KEY_NAME, _RECEIPT_KEY_NAME, _SEAL_NAME, _DEMO_NAME, _MAIL_NAME, _EXPORTS_NAME)


@dataclass(frozen=True, kw_only=True)
class Demo:
    """The demo as it was made. Key, token and passwords are secrets that no database can tell again."""

    account_id: str
    api_key: str = field(repr=False)
    operator_token: str = field(repr=False)
    credits_nano: int
    operator_email: str = ""
    operator_password: str = field(default="", repr=False)
    member_email: str = ""
    member_password: str = field(default="", repr=False)


def master_key_path(data_root: Path) -> Path:
    return data_root / _KEY_NAME


def ensure_master_key(data_root: Path) -> bool:
    """Make one if there is none yet; true when it was made."""
    path = master_key_path(data_root)
    if path.exists():
        return False
    encoded = base64.b64encode(secrets.token_bytes(_KEY_BYTES)).decode("ascii")
    write_private(path, f"k1:{encoded}\n")
    return True


def seal_key_path(data_root: Path) -> Path:
    return data_root / _SEAL_KEY_NAME


def seal_dir(data_root: Path) -> Path:
    return data_root / _SEAL_NAME


def mail_dir(data_root: Path) -> Path:
    """Where mails are written as files, while there is no mail server."""
    return data_root / _MAIL_NAME


def exports_dir(data_root: Path) -> Path:
    """Where workers put exports, for the console to hand out."""
    return data_root / _EXPORTS_NAME


def seal_environment(data_root: Path) -> dict[str, str]:
    """The settings with which the log of a data root is sealed and its receipts are signed."""
    return {
        "SEAL_DIR": str(seal_dir(data_root)),
        "SEAL_KEY_FILE": str(seal_key_path(data_root)),
        "RECEIPT_KEY_FILE": str(data_root / _RECEIPT_KEY_NAME),
    }


def ensure_seal_keys(data_root: Path) -> None:
    """Make the keys of the sealed log and of receipts if there are none yet; the log gets a name of its own."""
    if seal_key_path(data_root).exists():
        return
    name = f"localhost/tokenok-{secrets.token_hex(_LOG_NAME_BYTES)}"
    write_private(data_root / _RECEIPT_KEY_NAME, f"{new_key(receipts_name(name))}\n")
    write_private(seal_key_path(data_root), f"{new_key(name)}\n")


def remember_demo(data_root: Path, seed: DemoSeed) -> Demo:
    """The demo with all its secrets: those that `seed` cannot tell again come from the last start."""
    before = _read_demo(data_root)
    known = before if before and before.account_id == str(seed.account_id) else None
    demo = Demo(
        account_id=str(seed.account_id),
        api_key=seed.api_key or (known.api_key if known else ""),
        operator_token=seed.operator_token or (known.operator_token if known else ""),
        credits_nano=seed.credits_nano,
        operator_email=seed.operator_email,
        operator_password=seed.operator_password or (known.operator_password if known else ""),
        member_email=seed.member_email,
        member_password=seed.member_password or (known.member_password if known else ""),
    )
    if demo != before:
        write_private(data_root / _DEMO_NAME, json.dumps(asdict(demo), indent=2) + "\n")
    return demo


def _read_demo(data_root: Path) -> Demo | None:
    try:
        values = json.loads((data_root / _DEMO_NAME).read_text(encoding="utf-8"))
        return Demo(**values)
    except (OSError, ValueError, TypeError):
        return None

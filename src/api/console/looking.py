"""What several pages look up: names, prices in force, filters as people type them."""

from collections.abc import Iterable, Mapping
from datetime import date, datetime, time
from string import hexdigits
from typing import Any, Final
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec

from api.admin.views import names_of
from application.catalogue.list_presets import PresetSummary
from application.command import Ports
from application.directory import Directory
from application.directory_views import price_at
from application.keys.queries import KeyState
from application.people.ports import Factors
from application.queries import CHAT, RequestRow
from domain.catalogue.alias import Alias
from domain.catalogue.credential import Credential
from domain.keys.key import ApiKey
from domain.management import ManagementKey
from domain.members import Member
from domain.pricing import PriceInForce

PAGE_ROWS: Final = 50
CHOICES: Final = 50  #: what a field with choices offers at most
_V7: Final = 7
_NAMES_MAX: Final = 20_000
_ID_DIGITS: Final = 32
_ID_DIGITS_MIN: Final = 4
_DIGITS_MAX: Final = 18
_MONTHS: Final = 12
_PPM: Final = 1_000_000
_STATES: Final = frozenset({"admitted", "charged", "released", "abandoned"})


class ModelRow(msgspec.Struct, frozen=True, kw_only=True):
    """An alias with what it costs now, and how many deployments serve it."""

    name: str
    alias: Alias
    price: PriceInForce | None
    deployments: int


def key_state(key: ApiKey | ManagementKey, now_us: int) -> KeyState:
    if key.revoked:
        return "revoked"
    return "expired" if key.expires_us is not None and key.expires_us <= now_us else "active"


def made_us(key_id: UUID) -> int:
    """When something was made, as its id tells; long ago if it does not."""
    return (key_id.int >> 80) * 1_000 if key_id.version == _V7 else 0


def credential_choices(credentials: Iterable[Credential]) -> list[tuple[UUID, str]]:
    """For a field with choices: those in force, the newest first."""
    in_force = sorted(
        (one for one in credentials if not one.revoked), key=lambda one: one.credential_id, reverse=True
    )
    return [(one.credential_id, one.fingerprint) for one in in_force]


def account_names(ports: Ports, rows: Iterable[RequestRow]) -> dict[UUID, str]:
    """Of the accounts of some requests. Blocking."""
    return names_of(ports, list({row.account_id for row in rows}))


def people(ports: Ports, labels: Iterable[str | None]) -> dict[str, str]:
    """The names of actors, such as `operator:<id>`, by their ids as text. Blocking."""
    ids = {one for label in labels if (one := uuid_of((label or "").partition(":")[2]))}
    return {str(key): name for key, name in names_of(ports, list(ids)).items()}


def member_item(member: Member, email: str | None) -> dict[str, Any]:
    """As files have it: no envelope, but the address in it."""
    return {
        "person_id": member.person_id,
        "email": email,
        "role": member.role,
        "since_us": member.since_us,
    }


def factors_item(factors: Factors | None) -> dict[str, Any]:
    """What somebody has beside a password, as files have it; empty for who has none yet."""
    has_totp, passkeys = (None, None) if factors is None else (factors.has_totp, factors.passkeys)
    return {"second_factor": has_totp, "passkeys": passkeys}


def named_like(ports: Ports, known: Mapping[UUID, object], wanted: str) -> set[UUID]:
    """Those of `known` whose name holds a text, or whose id begins so. Blocking.

    Of a text that very many names hold, those of keys among them, the first so many are looked at.
    """
    named = {one for one in ports.names.like(wanted, limit=_NAMES_MAX) if one in known}
    return named | _ids_beginning(known, wanted)


def _ids_beginning(known: Iterable[UUID], text: str) -> set[UUID]:
    """With the first digits of an id, as it is written; a word of fewer digits than that is no id."""
    digits = text.strip().lower().replace("-", "")
    if not _ID_DIGITS_MIN <= len(digits) <= _ID_DIGITS or not set(digits) <= set(hexdigits):
        return set()
    first, last = (int(digits.ljust(_ID_DIGITS, end), 16) for end in "0f")
    return {one for one in known if first <= one.int <= last}


def model_rows(directory: Directory, now_us: int) -> list[ModelRow]:
    """Every alias, by name."""
    rows = []
    for name, alias in sorted(directory.aliases.items()):
        route = directory.aliases.get(alias.points_to) if alias.points_to else alias
        prices = directory.prices.get(name, ()) or directory.prices.get(alias.points_to or "", ())
        rows.append(
            ModelRow(
                name=name,
                alias=alias,
                price=price_at(prices, now_us),
                deployments=len(route.targets) if route else 0,
            )
        )
    return rows


def offered_models(directory: Directory, now_us: int) -> list[ModelRow]:
    """Those that can be asked for: with a price in force and a deployment."""
    return [row for row in model_rows(directory, now_us) if row.price is not None and row.deployments]


def charged(rows: Iterable[ModelRow]) -> list[dict[str, Any]]:
    """What customers see of prices, for files: what is charged for a million of each unit, markup included."""
    return [
        {"model": row.name, "effective_from_us": row.price.effective_from_us}
        | {name: figure * row.price.markup_ppm // _PPM for name, figure in _figures(row.price)}
        for row in rows
        if row.price is not None
    ]


def _figures(price: PriceInForce) -> Iterable[tuple[str, int]]:
    for name in price.price.__struct_fields__:
        figure = getattr(price.price, name)
        if name.endswith("_nano_per_million") and isinstance(figure, int):
            yield name, figure


def model_names(directory: Directory, now_us: int) -> list[str]:
    return [row.name for row in offered_models(directory, now_us)]


def chat_names(directory: Directory, now_us: int) -> list[str]:
    """Those that a chat can be had with: what is asked for to try something out."""
    return [one for one in model_names(directory, now_us) if serves_chats(directory, one)]


def serves_chats(directory: Directory, name: str) -> bool:
    """Whether a deployment behind this name takes chats."""
    route = directory.alias(name)
    return route is not None and any(CHAT in one.serves for one in route.deployments)


def uuid_of(text: str | None) -> UUID | None:
    """None for what is none: a filter that cannot be read finds everything, and shows what it was."""
    try:
        return UUID(text.strip()) if text else None
    except ValueError:
        return None


def one_of(text: str | None, choices: Iterable[str]) -> Any:
    """A choice; none for what is none of them, as with `uuid_of`."""
    return text if text in tuple(choices) else None


def state_of(text: str | None) -> Any:
    return text if text in _STATES else None


def day_us(text: str | None, zone: str, *, end: bool = False) -> int | None:
    """The beginning of a day of the visitor's, or its end."""
    try:
        day = date.fromisoformat(text or "")
    except ValueError:
        return None
    midnight = datetime.combine(day, time(), tzinfo=ZoneInfo(zone))
    return (int(midnight.timestamp()) + (86_400 if end else 0)) * 1_000_000


def minute_us(text: str | None, zone: str) -> int | None:
    """A time as a browser's field has it, in the visitor's zone."""
    try:
        return int(datetime.fromisoformat(text or "").replace(tzinfo=ZoneInfo(zone)).timestamp()) * 1_000_000
    except (ValueError, OverflowError):
        return None


def months(now_us: int, zone: str) -> list[str]:
    """The last twelve, this one first."""
    now = datetime.fromtimestamp(now_us / 1e6, tz=ZoneInfo(zone))
    last = now.year * _MONTHS + now.month - 1
    return [f"{one // _MONTHS:04}-{one % _MONTHS + 1:02}" for one in range(last, last - _MONTHS, -1)]


def file_name(text: str) -> str:
    """What a download may be called: of other signs than letters and digits none is left."""
    return "".join(one if one.isalnum() or one in "-_" else "-" for one in text)


def number_of(text: str | None) -> int | None:
    return int(text) if text and text.isascii() and text.isdigit() and len(text) <= _DIGITS_MAX else None


def presets_by_name(presets: Iterable[PresetSummary]) -> list[PresetSummary]:
    return sorted(presets, key=lambda one: one.name.casefold())

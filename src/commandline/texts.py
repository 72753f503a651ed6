"""How people read the results that are more than a few fields: findings and tables."""

from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal

from adapters.doctor import Finding
from application.catalogue.list_presets import PresetSummary
from application.catalogue.presets.preset import Preset
from application.projections import Comparison, ProjectionStatus
from application.queries import OpenHold, RequestPage, RequestRow
from application.reports.health import LedgerHealth, Verification

_NANO = Decimal(1_000_000_000)


def findings_text(findings: Sequence[Finding]) -> str:
    """One line for each, what stops the servers first."""
    lines = [
        f"{'wrong' if one.is_fatal else 'note '}  {one.code}: {one}"
        for one in sorted(findings, key=lambda one: not one.is_fatal)
    ]
    return "\n".join(lines or ["Everything is in order."]) + "\n"


def requests_text(page: RequestPage) -> str:
    """A table, newest first, and how to get the next page."""
    if not page.requests:
        return "No requests.\n"
    head = ("ADMITTED (UTC)", "REQUEST", "STATE", "MODEL", "TOKENS IN/OUT", "CREDITS", "CLIENT'S REFERENCE")
    text = table(head, [_request_cells(row) for row in page.requests])
    if page.next_before is not None:
        text += f"\nMore with --before-position {page.next_before}\n"
    return text


def status_text(statuses: Sequence[ProjectionStatus]) -> str:
    """A table of read models, and what holds one up."""
    rows = [
        (one.name, str(one.position), f"{one.events_behind} events, {one.behind_s:.1f} s", _standing(one))
        for one in statuses
    ]
    return table(("READ MODEL", "POSITION", "BEHIND", "STATE"), rows)


def health_text(health: LedgerHealth) -> str:
    """What is wrong first, then the figures behind it and the read models."""
    verified = health.last_verification
    rows = [
        ("sum over the books", f"{credits_of(health.zero_sum_nano)} credits"),
        (
            "drift of balances",
            f"{credits_of(health.drift_nano)} credits, {health.accounts_compared} compared",
        ),
        ("on hold", f"{credits_of(health.held_nano)} credits in {health.open_holds} requests"),
        ("oldest hold", f"{health.oldest_hold_s:.1f} s"),
        ("charges to review", f"{health.reviews_waiting}, the oldest for {health.oldest_review_s:.1f} s"),
        ("last verification", "none" if verified is None else _verified(verified)),
    ]
    said = f"Wrong: {', '.join(health.faults)}" if health.faults else "Nothing is known to be wrong."
    figures = "".join(f"{name:<19}{value}\n" for name, value in rows)
    return f"{said}\n\n{figures}\n{status_text(health.read_models)}"


def _verified(one: Verification) -> str:
    when = datetime.fromtimestamp(one.verified_us / 1_000_000, UTC).isoformat(timespec="seconds")
    return f"{'clean' if one.ok else f'{one.violations} violations'} up to position {one.position}, {when}"


def comparisons_text(compared: Sequence[Comparison]) -> str:
    """A table of read models, and whether the log makes them anew as they are."""
    rows = [
        (
            one.name,
            str(one.live.position),
            str(one.live.rows),
            "equal" if one.is_equal else f"differs: {one.rebuilt.rows} rows anew",
        )
        for one in compared
    ]
    return table(("READ MODEL", "POSITION", "ROWS", "REBUILT"), rows)


def holds_text(holds: Sequence[OpenHold], *, now_us: int) -> str:
    """A table, with the age of each."""
    rows = [
        (
            str(one.request_id),
            str(one.account_id),
            credits_of(one.hold_nano),
            f"{(now_us - one.since_us) / 1e6:.1f} s",
        )
        for one in holds
    ]
    return table(("REQUEST", "ACCOUNT", "CREDITS", "AGE"), rows) if rows else "Nothing.\n"


def presets_text(presets: Sequence[PresetSummary]) -> str:
    """A table, and how to go on."""
    rows = [
        (one.id, one.name, str(one.models), ", ".join(one.regions), ", ".join(one.dialects), str(one.read))
        for one in presets
    ]
    text = table(("PRESET", "PROVIDER", "MODELS", "REGIONS", "SPEAKS", "FACTS OF"), rows)
    return text + "\nMore with `preset show ID`; `preset enable --help` makes one ready.\n"


def preset_text(preset: Preset) -> str:
    """Its roles, and a table of its models with what a million tokens cost."""
    roles = "".join(f"{role:11}{model}\n" for role, model in preset.roles.items())
    rows = [
        (
            model.id,
            model.kind,
            "-" if model.context_tokens is None else str(model.context_tokens),
            "-" if price is None else price.usd.input,
            "-" if price is None else price.usd.output,
            "" if price is None or price.verified else "not verified",
        )
        for model in preset.models
        for price in [model.prices[0] if model.prices else None]
    ]
    head = ("MODEL", "KIND", "CONTEXT", "USD IN/1M", "USD OUT/1M", "")
    notes = "".join(f"\n* {note}" for note in preset.notes)
    return f"{preset.name}, facts of {preset.read}\n\n{roles}\n{table(head, rows)}{notes}\n".rstrip() + "\n"


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Columns as wide as what is in them."""
    widths = [max(len(line[column]) for line in (head, *rows)) for column in range(len(head))]
    lines = [
        "  ".join(f"{cell:{width}}" for cell, width in zip(line, widths, strict=True))
        for line in (head, *rows)
    ]
    return "".join(f"{line.rstrip()}\n" for line in lines)


def credits_of(amount_nano: int) -> str:
    """Exact, without zeros at the end."""
    return f"{(Decimal(amount_nano) / _NANO).normalize():f}"


def _request_cells(row: RequestRow) -> tuple[str, ...]:
    tokens = "-" if row.input_tokens is None else f"{row.input_tokens}/{row.output_tokens}"
    return (
        "-" if row.admitted_us is None else f"{time_of(row.admitted_us):%Y-%m-%d %H:%M:%S}",
        str(row.request_id),
        row.state,
        row.alias or "-",
        tokens,
        credits_of(row.charge_nano),
        row.client_ref or "-",
    )


def _standing(one: ProjectionStatus) -> str:
    if one.is_outdated:
        return "of another version: rebuild it"
    if one.stopped is not None:
        return f"stopped at {one.stopped.position} by {one.stopped.error}"
    return "up to date" if one.events_behind == 0 else "following"


def time_of(unix_us: int) -> datetime:
    return datetime.fromtimestamp(unix_us / 1_000_000, tz=UTC)

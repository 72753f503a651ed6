"""Take in what a provider told late of many requests: a file of lines, each on its own. It may be imported again."""

import csv
import json
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Literal

import msgspec

from application.charges.report_usage import ReportLateUsage, UsageTaken
from domain.refusal import Refusal

ReportForm = Literal["csv", "jsonl"]


class LineTaken(msgspec.Struct, frozen=True, kw_only=True):
    """What followed from one line. A `code` says why nothing did."""

    line: int  #: from 1, a header included
    request_id: str
    charged_nano: int = 0
    shortfall_nano: int = 0
    correction: str | None = None
    code: str | None = None
    detail: str | None = None


class Imported(msgspec.Struct, frozen=True, kw_only=True):
    """All lines of a file."""

    lines: tuple[LineTaken, ...]
    refused: int


def import_lines(
    lines: Iterable[str], form: ReportForm, *, reason: str, take: Callable[[ReportLateUsage], UsageTaken]
) -> Imported:
    """Take each line in; one that is refused stops no other. The fields are those of `ReportLateUsage`.

    `reason` stands where a line has none.

    Raises:
        EventLogError: the log cannot be written; the lines before are taken in, and the file may be imported again.
    """
    taken = tuple(_take(number, fields, reason, take) for number, fields in _read(lines, form))
    return Imported(lines=taken, refused=sum(one.code is not None for one in taken))


def _read(lines: Iterable[str], form: ReportForm) -> Iterator[tuple[int, Any]]:
    if form == "jsonl":
        for number, line in enumerate(lines, 1):
            if line.strip():
                yield number, _json(line)
        return
    rows = csv.DictReader(lines, restkey="more")
    for row in rows:
        yield rows.line_num, {name: value for name, value in row.items() if value}


def _json(line: str) -> Any:
    try:
        return json.loads(line)
    except (ValueError, RecursionError):
        return None


def _command(fields: Any, reason: str) -> ReportLateUsage:
    if not isinstance(fields, dict):
        raise msgspec.ValidationError("is no object of fields")
    return msgspec.convert({"reason": reason} | fields, ReportLateUsage, strict=False)


def _take(number: int, fields: Any, reason: str, take: Callable[[ReportLateUsage], UsageTaken]) -> LineTaken:
    request_id = str(fields.get("request_id", "")) if isinstance(fields, dict) else ""
    try:
        found = take(_command(fields, reason))
    except msgspec.ValidationError as error:
        return LineTaken(line=number, request_id=request_id, code="invalid_request", detail=str(error))
    except Refusal as error:
        return LineTaken(line=number, request_id=request_id, code=error.code, detail=str(error))
    return LineTaken(
        line=number,
        request_id=request_id,
        charged_nano=found.charged_nano,
        shortfall_nano=found.shortfall_nano,
        correction=found.correction,
    )

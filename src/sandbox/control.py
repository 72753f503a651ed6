"""The control endpoints below `/_sandbox/`: faults on offer, standing rules, the journal."""

from typing import Any, Final
from urllib.parse import parse_qs

import msgspec

from sandbox.calls import decode
from sandbox.errors import SHAPES, Refused
from sandbox.faults import FAULTS, check
from sandbox.journal import Journal
from sandbox.messages import Request
from sandbox.rules import Rule, RuleBook
from sandbox.script import Script

LINES_MAX: Final = 10_000
_rule_decoder: Final = msgspec.json.Decoder(Rule)


class Control:
    """Answers the control endpoints; all of them in JSON with status 200, or `Refused`."""

    def __init__(self, journal: Journal, rules: RuleBook) -> None:
        self._journal = journal
        self._rules = rules

    def answer(self, request: Request) -> bytes:
        found = {
            (b"GET", b"/_sandbox/faults"): self._faults,
            (b"GET", b"/_sandbox/script"): self._list_rules,
            (b"POST", b"/_sandbox/script"): self._add_rule,
            (b"DELETE", b"/_sandbox/script"): self._clear_rules,
            (b"GET", b"/_sandbox/journal"): self._page,
            (b"DELETE", b"/_sandbox/journal"): self._forget,
        }.get((request.method, request.path))
        if found is None:
            raise Refused(404, "Unknown control URL.", code="unknown_url")
        return msgspec.json.encode(found(request))

    def _faults(self, _request: Request) -> Any:
        return {
            "faults": [fault.described() for fault in FAULTS.values()],
            "shapes": sorted(SHAPES),
            "script_fields": list(Script.__struct_fields__),
        }

    def _list_rules(self, _request: Request) -> Any:
        return {"rules": self._rules.listed()}

    def _add_rule(self, request: Request) -> Any:
        rule: Rule = decode(_rule_decoder, request.body)
        scripts = rule.candidates()
        if not scripts:
            raise Refused(400, "A rule needs `script` or `scripts`.", code="invalid_value", param="script")
        for script in scripts:
            check(script)
        return {"id": self._rules.add(rule)}

    def _clear_rules(self, _request: Request) -> Any:
        self._rules.clear()
        return {"rules": []}

    def _page(self, request: Request) -> Any:
        asked = parse_qs(request.query.decode("latin-1"))
        return self._journal.page(
            after=_number(asked, "after", default=0),
            limit=min(_number(asked, "limit", default=1_000), LINES_MAX),
        )

    def _forget(self, _request: Request) -> Any:
        self._journal.forget()
        return self._journal.page(after=0, limit=0)


def _number(asked: dict[str, list[str]], name: str, *, default: int) -> int:
    text = asked.get(name, [str(default)])[-1]
    if not (text.isascii() and text.isdigit() and len(text) <= 18):  # noqa: PLR2004 - digits of an int64
        raise Refused(400, f"{name} must be a number.", code="invalid_value", param=name)
    return int(text)

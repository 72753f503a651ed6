"""Standing rules: scripts for requests that do not ask for one, set over `POST /_sandbox/script`.

Owns the rules and their random numbers. Rules are asked in the order they were added; the first that hits wins.
"""

import random
from typing import Annotated, Any, Protocol

import msgspec

from sandbox.script import Script


class Rule(msgspec.Struct, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """When to apply which script. Without conditions: always, to every model."""

    script: Script | None = None
    scripts: list[Script] = []
    """Instead of `script`: one of these is drawn at each hit."""
    model: str | None = None
    """Only requests for this model."""
    next: Annotated[int, msgspec.Meta(ge=1)] | None = None
    """Only the next so many hits; afterwards the rule is gone."""
    probability: Annotated[float, msgspec.Meta(ge=0, le=1)] | None = None
    seed: int = 0
    """Seed of the rule's own random numbers: the same requests in the same order meet the same fate."""

    def candidates(self) -> list[Script]:
        return [*([self.script] if self.script else []), *self.scripts]


class Fits(Protocol):
    """Says whether a script's fault exists for that kind of answer."""

    def __call__(self, script: Script, *, stream: bool) -> bool: ...


class RuleBook:
    """The rules in force."""

    def __init__(self, fits: Fits) -> None:
        self._fits = fits
        self._rules: list[tuple[int, Rule, random.Random]] = []
        self._added = 0

    def __bool__(self) -> bool:
        return bool(self._rules)

    def add(self, rule: Rule) -> int:
        """Put a rule last in line; returns its number."""
        self._added += 1
        # Repeatability is the point, not secrecy.
        self._rules.append((self._added, rule, random.Random(rule.seed)))  # noqa: S311
        return self._added

    def clear(self) -> None:
        self._rules.clear()

    def listed(self) -> list[dict[str, Any]]:
        return [{"id": number, **msgspec.to_builtins(rule)} for number, rule, _ in self._rules]

    def pick(self, model: str, *, stream: bool) -> Script | None:
        """The script for this request, if a rule hits. A fault that does not fit the kind of answer is no hit."""
        for entry in self._rules:
            _, rule, dice = entry
            if rule.model not in (None, model):
                continue
            fitting = [script for script in rule.candidates() if self._fits(script, stream=stream)]
            if not fitting or (rule.probability is not None and dice.random() >= rule.probability):
                continue
            self._spend(entry)
            return dice.choice(fitting) if len(fitting) > 1 else fitting[0]
        return None

    def _spend(self, entry: tuple[int, Rule, random.Random]) -> None:
        rule = entry[1]
        if rule.next is not None:
            rule.next -= 1
            if rule.next == 0:
                self._rules.remove(entry)

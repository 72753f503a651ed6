"""The cells of the matrix: a fault, what the client speaks, what the upstream speaks, a stream or not."""

from collections.abc import Iterable, Iterator
from typing import Final, Literal

import msgspec

from domain.catalogue.deployment_spec import Operation
from domain.catalogue.provider import Dialect
from tests.matrix.answers import Kind
from tests.matrix.fault import Expected, Fault, Where, Width, checked
from tests.matrix.faults_bodies import FAULTS as BODIES
from tests.matrix.faults_events import FAULTS as EVENTS
from tests.matrix.faults_floods import FAULTS as FLOODS
from tests.matrix.faults_framing import FAULTS as FRAMING
from tests.matrix.faults_phases import FAULTS as PHASES
from tests.matrix.faults_statuses import FAULTS as STATUSES
from tests.matrix.faults_usage import FAULTS as USAGES

Surface = Literal["chat", "messages", "responses"]

FAULTS: Final = checked((*STATUSES, *PHASES, *FRAMING, *BODIES, *EVENTS, *USAGES, *FLOODS))
SURFACES: Final[dict[Kind, tuple[Surface, ...]]] = {
    "chat": ("chat", "messages", "responses"),
    "messages": ("messages", "chat", "responses"),
    "gemini": ("chat", "messages", "responses"),
    "responses": ("responses", "chat", "messages"),
}
"""Who may ask an upstream of a kind; first who speaks as it does, if there is one."""
SPOKEN: Final[dict[Kind, tuple[Dialect, str, Operation]]] = {
    "chat": ("openai", "/v1", "chat"),
    "responses": ("openai", "/v1", "responses"),
    "messages": ("anthropic", "", "messages"),
    "gemini": ("gemini", "/v1beta", "chat"),
}
"""Dialect, path of the base URL and operation."""
RESCUER: Final[dict[Kind, Kind]] = {
    "chat": "gemini",
    "messages": "chat",
    "gemini": "messages",
    "responses": "responses",
}
"""What the second deployment speaks: another dialect, so that falling over crosses them."""
_SURFACES: Final[dict[Width, int]] = {"full": 3, "brief": 2, "narrow": 1}
FAILURES_MAX: Final = 4
"""Of one deployment: one more in a row would open its breaker."""


class Cell(msgspec.Struct, frozen=True, kw_only=True):
    """One request. `rescued`: a second deployment would serve, if it may be asked."""

    fault: Fault
    surface: Surface
    kind: Kind
    stream: bool
    rescued: bool
    expected: Expected

    @property
    def name(self) -> str:
        how = "stream" if self.stream else "json"
        return f"{self.fault.name} {self.surface}<{self.kind} {how}{' +second' if self.rescued else ''}"

    @property
    def serves(self) -> bool:
        """The client gets a whole answer, from whom ever."""
        return self.expected.ends == "serves" or (self.expected.ends == "fails" and self.rescued)


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """A deployment of its own."""

    kind: Kind
    where: Where
    usage_dialect: str
    number: int

    @property
    def name(self) -> str:
        return f"{self.kind}/{self.where}/{self.usage_dialect}/{self.number}"


def cells_of(faults: Iterable[Fault]) -> list[Cell]:
    return [cell for fault in faults for cell in _cells(fault)]


def _cells(fault: Fault) -> Iterator[Cell]:
    for kind in fault.kinds:
        for surface in SURFACES[kind][: _SURFACES[fault.width]]:
            for stream in (False, True):
                expected = fault.expected(kind, stream=stream)
                if expected is None:
                    continue
                for rescued in _rescued(fault, surface, kind, stream=stream, fails=expected.ends == "fails"):
                    yield Cell(
                        fault=fault,
                        surface=surface,
                        kind=kind,
                        stream=stream,
                        rescued=rescued,
                        expected=expected,
                    )


def _rescued(fault: Fault, surface: Surface, kind: Kind, *, stream: bool, fails: bool) -> tuple[bool, ...]:
    """With a second deployment or without: both for clients of the same dialect, else one for documents, one for streams."""
    if not fails:
        return (True,)
    if surface == SURFACES[kind][0] and fault.width != "narrow":
        return (False, True)
    return (not stream,)


def placed(cells: Iterable[Cell]) -> list[tuple[Cell, Place]]:
    """Give every cell a deployment; none fails so often that its breaker opens."""
    used: dict[tuple[Kind, Where, str], list[int]] = {}
    found: list[tuple[Cell, Place]] = []
    for cell in cells:
        lot = (cell.kind, cell.fault.where, cell.fault.usage_dialect)
        failures = used.setdefault(lot, [0])
        if cell.fault.own_credential:
            failures += [FAILURES_MAX, 0]
            number = len(failures) - 2
        else:
            counts = cell.expected.ends in ("fails", "breaks")
            if failures[-1] + counts > FAILURES_MAX:
                failures.append(0)
            failures[-1] += counts
            number = len(failures) - 1
        kind, where, usage_dialect = lot
        place = Place(kind=kind, where=where, usage_dialect=usage_dialect, number=number)
        found.append((cell, place))
    return found

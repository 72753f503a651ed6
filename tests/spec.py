"""Given facts, when a decision, then facts or a refusal: how the rules of the domain are specified.

spec = Spec(evolve, initial=None)
spec.given(Opened(...)).when(lambda state: close(state)).then(Closed(...))
"""

from collections.abc import Callable, Sequence
from typing import Any, Generic, TypeVar

from domain.event import Event
from domain.refusal import Refusal

State = TypeVar("State")


class Spec(Generic[State]):
    """One kind of aggregate: how its state folds, and what it is before its first fact."""

    def __init__(self, evolve: Callable[[State, Any], State], *, initial: State) -> None:
        self._evolve = evolve
        self._initial = initial

    def given(self, *facts: Event) -> "Given[State]":
        """The facts so far; none is a stream that does not exist yet."""
        return Given(self.fold(*facts))

    def fold(self, *facts: Event) -> State:
        """The state after some facts, to look at directly."""
        state = self._initial
        for fact in facts:
            state = self._evolve(state, fact)
        return state


class Given(Generic[State]):
    """A state in which something can be decided."""

    def __init__(self, state: State) -> None:
        self._state = state

    def when(self, decide: Callable[[State], Sequence[Event]]) -> "Decision":
        """Decide, and keep what came of it."""
        try:
            return Decision(list(decide(self._state)), None)
        except Refusal as refusal:
            return Decision([], refusal)


class Decision:
    """What was decided."""

    def __init__(self, facts: list[Event], refusal: Refusal | None) -> None:
        self._facts = facts
        self._refusal = refusal

    def then(self, *facts: Event) -> None:
        """Exactly these facts followed."""
        assert self._refusal is None, f"refused: {self._refusal!r}"
        assert self._facts == list(facts)

    def then_nothing(self) -> None:
        """Everything was so already."""
        self.then()

    def then_refused(self, kind: type[Refusal], /, **numbers: object) -> None:
        """A rule said no, with these attributes on the refusal, and a code that surfaces can rely on."""
        assert type(self._refusal) is kind, f"decided {self._facts}, refused {self._refusal!r}"
        assert {name: getattr(self._refusal, name) for name in numbers} == numbers
        assert kind.code != Refusal.code

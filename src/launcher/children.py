"""All child processes of one `tokenok up`: watched together, stopped in order."""

import time
from collections.abc import Sequence

from launcher.child import Child
from launcher.errors import ChildFailed
from launcher.signals import Signals

_EARLY_ENDS_MAX = 3
_KILL_AFTER_S = 5.0


class Children:
    """Kept in the order in which they were started; nothing here blocks but `stop`."""

    def __init__(self) -> None:
        self._children: list[Child] = []

    def add(self, child: Child) -> Child:
        """Start it and watch it from now on."""
        self._children.append(child)
        child.start(now=time.monotonic())
        return child

    def tick(self) -> list[str]:
        """Start again what has ended by itself; returns a sentence for each that has just ended."""
        now = time.monotonic()
        return [said for child in self._children if (said := child.tick(now=now))]

    def refuse_early_ends(self) -> None:
        """While everything starts, a process that cannot stay up is a mistake in the set-up.

        Raises:
            ChildFailed: one has ended three times in a row.
        """
        for child in self._children:
            if child.failures >= _EARLY_ENDS_MAX:
                raise ChildFailed(
                    f"{child.name} does not start; its log {child.log_path} ends with:\n{child.log_tail()}"
                )

    def all_running(self) -> bool:
        return all(not child.has_ended() for child in self._children)

    def stop(self, signals: Signals, *, last: Sequence[str], drain_s: float) -> None:
        """Let all end what they have begun, those named in `last` after the others; then end what is left.

        Being told to stop again ends everything at once.
        """
        patience = min(1, signals.asked)
        for group in (
            [child for child in self._children if child.name not in last],
            [child for child in self._children if child.name in last],
        ):
            for child in group:
                child.ask_to_stop()
            give_up_at = time.monotonic() + (
                drain_s if group and group[0].name not in last else _KILL_AFTER_S
            )
            while not all(child.has_ended() for child in group):
                left_s = give_up_at - time.monotonic()
                if left_s <= 0 or signals.asked > patience:
                    break
                signals.wait(min(left_s, 1.0))
        for child in self._children:
            child.kill()

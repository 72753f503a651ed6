"""An event loop without a machine below it: time is that of a universe, which runs it turn by turn."""

import asyncio
import contextlib
from collections.abc import Callable
from concurrent.futures import Executor
from typing import Any, Protocol

ENDED_S = 1e18


class Sky(Protocol):
    """What a loop needs of its universe."""

    now_s: float

    def elsewhere(self, loop: "TurnLoop", work: Callable[[], Any]) -> "asyncio.Future[Any]":
        """Do `work` outside the process, some time; the future tells what came of it, some time later."""
        ...


class _NoSelector:
    """Nothing is ever heard from the outside but through `call_soon`."""

    def select(self, timeout: float | None) -> list[Any]:  # as selectors have it
        return []

    def close(self) -> None:
        pass


class TurnLoop(asyncio.BaseEventLoop):
    """The loop of one process. It runs while `turn` is called, and not otherwise: that is how a process is paused."""

    def __init__(self, sky: Sky) -> None:
        super().__init__()
        self._sky = sky
        self._selector = _NoSelector()
        self.is_dead = False  #: it will never run again

    def time(self) -> float:
        return self._sky.now_s

    def destroy(self) -> None:
        """Let go of what stood in it when it died. Nothing of that is heard any more."""
        asyncio._set_running_loop(self)
        for task in asyncio.all_tasks(self):
            task._log_destroy_pending = False  # type: ignore[attr-defined]  # it is meant
            with contextlib.suppress(BaseException):  # `finally` blocks run now, in a world that is over
                task.get_coro().close()
        asyncio._set_running_loop(None)
        self._ready.clear()  # type: ignore[attr-defined]
        self.close()

    def turn(self) -> None:
        """Run what is ready now, once."""
        asyncio._set_running_loop(self)
        try:
            self._run_once()  # type: ignore[attr-defined]  # what `run_forever` is made of
        finally:
            asyncio._set_running_loop(None)

    @property
    def due_s(self) -> float:
        """When there is something to run; far away if there is nothing."""
        if self._ready:  # type: ignore[attr-defined]
            return self._sky.now_s
        timers = self._scheduled  # type: ignore[attr-defined]
        return timers[0].when() if timers else ENDED_S

    def run_in_executor(  # type: ignore[override]  # nobody awaits more than the future
        self, executor: Executor | None, func: Callable[..., Any], *args: Any
    ) -> "asyncio.Future[Any]":
        assert executor is None
        return self._sky.elsewhere(self, lambda: func(*args))

    def _process_events(self, event_list: list[Any]) -> None:
        assert not event_list

    def _write_to_self(self) -> None:
        """Nobody sleeps who would have to be woken."""

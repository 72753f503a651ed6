"""Rate limits of keys and accounts, counted in this process; other processes' use comes in by `limit_sync`.

Requests and tokens drip into buckets that hold one minute's worth; open requests are counted. Nothing here
awaits or is exact money: money has its own rules. While the others cannot be heard, this process allows its
share: the limit divided by the processes that were last known (at least one request, one token).
"""

from collections.abc import Iterator
from typing import ClassVar, Final, Literal
from uuid import UUID

from domain.limits import Limits
from domain.refusal import Refusal

LimitKind = Literal["requests", "tokens", "concurrency"]
IDLE_S: Final = 120.0  #: a meter that nobody used for so long is full again, and dropped
_MINUTE_S: Final = 60.0


class RateLimited(Refusal):
    """A limit of the key or of its account is reached; nothing was counted."""

    code: ClassVar[str] = "rate_limit_exceeded"

    def __init__(self, kind: LimitKind, *, limit: int, retry_after_s: float) -> None:
        super().__init__(f"limit of {limit} {kind} reached")
        self.kind = kind
        self.limit = limit
        self.retry_after_s = retry_after_s  #: at most a minute; for concurrency a guess


class Meter:
    """Counts one key or one account. Levels are what is left; they are below zero when others were faster."""

    __slots__ = (
        "at_s",
        "limits",
        "open",
        "open_elsewhere",
        "requests",
        "seen_requests",
        "seen_tokens",
        "seen_window",
        "share",
        "subject",
        "tokens",
        "unsent_requests",
        "unsent_tokens",
    )

    def __init__(self, subject: UUID, limits: Limits, *, share: float, now_s: float) -> None:
        self.subject = subject
        self.limits = limits
        self.share = share
        self.at_s = now_s
        self.requests = self.requests_max
        self.tokens = self.tokens_max
        self.open = 0
        self.open_elsewhere = 0
        self.unsent_requests = 0
        self.unsent_tokens = 0
        self.seen_window = -1
        self.seen_requests = 0
        self.seen_tokens = 0

    @property
    def requests_max(self) -> float:
        return max(1.0, (self.limits.rpm or 0) * self.share)

    @property
    def tokens_max(self) -> float:
        return max(1.0, (self.limits.tpm or 0) * self.share)

    def refill(self, now_s: float) -> None:
        """Let what dripped in since the last time be there."""
        elapsed_s = now_s - self.at_s
        if elapsed_s <= 0:
            return
        self.at_s = now_s
        minutes = elapsed_s / _MINUTE_S
        limits, share = self.limits, self.share
        if limits.rpm is not None:
            most = limits.rpm * share
            level = self.requests + most * minutes
            most = max(most, 1.0)
            self.requests = min(most, level)
        if limits.tpm is not None:
            most = limits.tpm * share
            level = self.tokens + most * minutes
            most = max(most, 1.0)
            self.tokens = min(most, level)

    def check(self, tokens: int, now_s: float) -> None:
        """Refill, and see whether one more request with `tokens` fits. Raises: RateLimited."""
        self.refill(now_s)
        limits = self.limits
        if limits.rpm is not None and self.requests < 1.0:
            raise RateLimited(
                "requests", limit=limits.rpm, retry_after_s=self._wait_s(1.0 - self.requests, limits.rpm)
            )
        if limits.tpm is not None and self.tokens < tokens:
            raise RateLimited(
                "tokens", limit=limits.tpm, retry_after_s=self._wait_s(tokens - self.tokens, limits.tpm)
            )
        if limits.concurrency is not None and not self._has_room(limits.concurrency):
            raise RateLimited("concurrency", limit=limits.concurrency, retry_after_s=1.0)

    def take(self, tokens: int) -> None:
        self.requests -= 1.0
        self.tokens -= tokens
        self.unsent_requests += 1
        self.unsent_tokens += tokens
        self.open += 1

    def give_back(self, tokens: int) -> None:
        """The request is over; `tokens` of what it took were not used, or more than it took when negative."""
        self.tokens += tokens
        self.unsent_tokens -= tokens
        self.open -= 1

    def change(self, limits: Limits, *, share: float, now_s: float) -> None:
        """Go on with other limits, or another share of them; what was used stays used."""
        self.refill(now_s)
        used_requests = self.requests_max - self.requests
        used_tokens = self.tokens_max - self.tokens
        self.limits = limits
        self.share = share
        self.requests = self.requests_max - used_requests
        self.tokens = self.tokens_max - used_tokens

    def _has_room(self, concurrency: int) -> bool:
        if self.share >= 1.0:
            return self.open + self.open_elsewhere < concurrency
        return self.open < max(1, int(concurrency * self.share))

    def _wait_s(self, missing: float, per_minute: int) -> float:
        return min(_MINUTE_S, missing * _MINUTE_S / (per_minute * self.share))


class Permit:
    """One admitted request. `end` it exactly once, whatever became of it."""

    __slots__ = ("_meters", "_tokens")

    def __init__(self, meters: tuple[Meter, ...], tokens: int) -> None:
        self._meters = meters
        self._tokens = tokens

    def end(self, tokens_used: int) -> None:
        """Count what was really used in place of the estimate; ending again does nothing."""
        unused = self._tokens - tokens_used
        for meter in self._meters:
            meter.give_back(unused)
        self._meters = ()

    def headers(self) -> list[tuple[bytes, bytes]]:
        """`x-ratelimit-*` of the limit with the least left; none for what has no limit."""
        return _headers(self._meters) if self._meters else []


class RateLimiter:
    """All meters of this process. One event loop owns it."""

    def __init__(self) -> None:
        self._meters: dict[UUID, Meter] = {}
        self._share = 1.0

    def admit(
        self,
        key_id: UUID,
        key_limits: Limits,
        account_id: UUID,
        account_limits: Limits,
        *,
        tokens: int,
        now_s: float,
    ) -> Permit:
        """Count one more request of a key with an estimate of its tokens, or refuse it. Times are monotonic.

        Raises:
            RateLimited: a limit is reached; nothing was counted.
        """
        key = self._meter(key_id, key_limits, now_s)
        account = self._meter(account_id, account_limits, now_s)
        if key is not None:
            key.check(tokens, now_s)
        if account is not None:
            account.check(tokens, now_s)
            account.take(tokens)
        if key is not None:
            key.take(tokens)
            return Permit((key,) if account is None else (key, account), tokens)
        return Permit(() if account is None else (account,), tokens)

    def headers(self, key_id: UUID, account_id: UUID) -> list[tuple[bytes, bytes]]:
        """As `Permit.headers`, for a request that was refused."""
        found = (self._meters.get(key_id), self._meters.get(account_id))
        return _headers(tuple(meter for meter in found if meter is not None))

    def set_share(self, share: float, now_s: float) -> None:
        """Allow this part of every limit here: 1 while the other processes are heard."""
        if share == self._share:
            return
        self._share = share
        for meter in self._meters.values():
            meter.change(meter.limits, share=share, now_s=now_s)

    def meters(self, now_s: float) -> Iterator[Meter]:
        """Every meter in use; those that have been idle for long are dropped."""
        for subject, meter in list(self._meters.items()):
            if meter.open == 0 and now_s - meter.at_s > IDLE_S:
                del self._meters[subject]
            else:
                yield meter

    def _meter(self, subject: UUID, limits: Limits, now_s: float) -> Meter | None:
        meter = self._meters.get(subject)
        if meter is not None:
            if meter.limits is not limits:
                meter.change(limits, share=self._share, now_s=now_s)
            return meter
        if limits.rpm is None and limits.tpm is None and limits.concurrency is None:
            return None
        meter = self._meters[subject] = Meter(subject, limits, share=self._share, now_s=now_s)
        return meter


def _headers(meters: tuple[Meter, ...]) -> list[tuple[bytes, bytes]]:
    headers: list[tuple[bytes, bytes]] = []
    by_requests = [meter for meter in meters if meter.limits.rpm is not None]
    if by_requests:
        meter = min(by_requests, key=lambda one: one.requests)
        headers += _trio(b"requests", meter.limits.rpm or 0, meter.requests, meter.requests_max)
    by_tokens = [meter for meter in meters if meter.limits.tpm is not None]
    if by_tokens:
        meter = min(by_tokens, key=lambda one: one.tokens)
        headers += _trio(b"tokens", meter.limits.tpm or 0, meter.tokens, meter.tokens_max)
    return headers


def _trio(kind: bytes, limit: int, left: float, most: float) -> list[tuple[bytes, bytes]]:
    full_in_s = max(0.0, most - left) * _MINUTE_S / most
    return [
        (b"x-ratelimit-limit-" + kind, b"%d" % limit),
        (b"x-ratelimit-remaining-" + kind, b"%d" % max(0, int(left))),
        (b"x-ratelimit-reset-" + kind, duration(full_in_s).encode()),
    ]


def duration(seconds: float) -> str:
    """A length of time as OpenAI writes it: `12ms`, `1.5s`, `6m0s`."""
    milliseconds = round(seconds * 1000)
    if milliseconds < 1000:  # noqa: PLR2004 - a second
        return f"{milliseconds}ms"
    minutes, rest_ms = divmod(milliseconds, 60_000)
    text = f"{rest_ms / 1000:.3f}".rstrip("0").rstrip(".")
    return f"{minutes}m{text}s" if minutes else f"{text}s"

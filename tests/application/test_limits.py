"""Rate limits in one process."""

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from application.limits import IDLE_S, Permit, RateLimited, RateLimiter, duration
from domain.limits import NO_LIMITS, Limits

KEY, ACCOUNT = UUID(int=1), UUID(int=2)


class Door:
    """A limiter with one key and one account, at a time that the test sets."""

    def __init__(self, key: Limits = NO_LIMITS, account: Limits = NO_LIMITS) -> None:
        self.limiter = RateLimiter()
        self.key, self.account = key, account
        self.now_s = 1_000.0

    def admit(self, tokens: int = 0) -> Permit:
        return self.limiter.admit(KEY, self.key, ACCOUNT, self.account, tokens=tokens, now_s=self.now_s)

    def refused(self, tokens: int = 0) -> RateLimited:
        with pytest.raises(RateLimited) as caught:
            self.admit(tokens)
        return caught.value

    def served(self, tries: int, tokens: int = 0) -> int:
        """How many of so many requests at this moment get in."""
        served = 0
        for _ in range(tries):
            try:
                self.admit(tokens).end(tokens)
                served += 1
            except RateLimited:
                pass
        return served


def test_a_minute_holds_its_limit_and_drips() -> None:
    """Ten at once, then one each six seconds."""
    door = Door(Limits(rpm=10))
    assert door.served(50) == 10
    refusal = door.refused()
    assert (refusal.kind, refusal.limit, refusal.code) == ("requests", 10, "rate_limit_exceeded")
    assert refusal.retry_after_s == pytest.approx(6.0)
    door.now_s += 5.9
    assert door.served(50) == 0
    door.now_s += 0.2
    assert door.served(50) == 1
    door.now_s += 3600
    assert door.served(50) == 10


def test_tokens_are_taken_by_estimate_and_settled_by_use() -> None:
    """What was not used comes back at once; what was used beyond the estimate is owed."""
    door = Door(Limits(tpm=1_000))
    first = door.admit(900)
    assert door.refused(200).kind == "tokens"
    first.end(100)
    door.admit(900).end(1_500)
    refusal = door.refused(1)
    assert refusal.retry_after_s == pytest.approx(601 * 60 / 1000)
    door.now_s += 37
    door.admit(1)


def test_a_request_larger_than_the_minute_is_refused() -> None:
    """And told to wait no longer than a minute."""
    refusal = Door(Limits(tpm=10)).refused(1_000)
    assert (refusal.kind, refusal.retry_after_s) == ("tokens", 60.0)


def test_open_requests_are_counted_until_they_end() -> None:
    """Ending one twice frees one place only."""
    door = Door(Limits(concurrency=2))
    first, _second = door.admit(), door.admit()
    assert door.refused().kind == "concurrency"
    first.end(0)
    first.end(0)
    door.admit()
    assert door.refused().limit == 2


def test_the_account_limits_all_its_keys_together() -> None:
    """A refusal by one of both counts in neither."""
    door = Door(Limits(rpm=100), Limits(rpm=3))
    assert door.served(10) == 3
    other = UUID(int=9)
    with pytest.raises(RateLimited):
        door.limiter.admit(other, Limits(rpm=5), ACCOUNT, door.account, tokens=0, now_s=door.now_s)
    headers = dict(door.limiter.headers(other, UUID(int=10)))
    assert headers[b"x-ratelimit-remaining-requests"] == b"5"
    narrow = Door(Limits(rpm=1), Limits(rpm=3))
    assert narrow.served(10) == 1
    headers = dict(narrow.limiter.headers(UUID(int=10), ACCOUNT))
    assert headers[b"x-ratelimit-remaining-requests"] == b"2"


def test_without_limits_nothing_is_kept() -> None:
    """No meter, no headers, no refusal."""
    door = Door()
    permit = door.admit(10**9)
    assert permit.headers() == []
    permit.end(5)
    assert list(door.limiter.meters(door.now_s)) == []
    assert door.limiter.headers(KEY, ACCOUNT) == []


def test_headers_tell_the_tightest_limit() -> None:
    """In the names and forms of OpenAI; what was taken is not left."""
    door = Door(Limits(rpm=60, tpm=6_000), Limits(rpm=30))
    headers = dict(door.admit(100).headers())
    assert headers == {
        b"x-ratelimit-limit-requests": b"30",
        b"x-ratelimit-remaining-requests": b"29",
        b"x-ratelimit-reset-requests": b"2s",
        b"x-ratelimit-limit-tokens": b"6000",
        b"x-ratelimit-remaining-tokens": b"5900",
        b"x-ratelimit-reset-tokens": b"1s",
    }


def test_remaining_is_never_negative() -> None:
    """Also when more was used than there was."""
    door = Door(Limits(tpm=100))
    door.admit(50).end(500)
    headers = dict(door.limiter.headers(KEY, ACCOUNT))
    assert headers[b"x-ratelimit-remaining-tokens"] == b"0"
    assert headers[b"x-ratelimit-reset-tokens"] == b"5m0s"


def test_changed_limits_keep_what_was_used() -> None:
    """Raising gives the difference at once, lowering takes it."""
    door = Door(Limits(rpm=10, concurrency=9))
    assert door.served(8) == 8
    door.key = Limits(rpm=20)
    assert door.served(50) == 12
    door.key = Limits(rpm=5)
    assert door.served(50) == 0
    door.key = NO_LIMITS
    assert door.served(50) == 50


def test_a_share_divides_every_limit() -> None:
    """At least one request and one token stay; back to the whole, nothing was forgotten."""
    door = Door(Limits(rpm=10, tpm=1_000, concurrency=4))
    door.admit(0).end(0)
    door.limiter.set_share(0.5, door.now_s)
    door.limiter.set_share(0.5, door.now_s)
    assert door.served(50) == 4
    door.limiter.set_share(1.0, door.now_s)
    assert door.served(50) == 5
    door.now_s += 600
    door.limiter.set_share(0.5, door.now_s)
    permits = [door.admit() for _ in range(2)]
    assert door.refused().kind == "concurrency"
    for permit in permits:
        permit.end(0)
    tiny = Door(Limits(rpm=1, tpm=1, concurrency=1))
    tiny.limiter.set_share(0.1, tiny.now_s)
    assert tiny.served(5, tokens=1) == 1


def test_idle_meters_are_dropped() -> None:
    """Not while a request is open; memory does not grow with the keys ever seen."""
    door = Door(Limits(rpm=10))
    permit = door.admit()
    door.now_s += IDLE_S + 1
    assert len(list(door.limiter.meters(door.now_s))) == 1
    permit.end(0)
    assert list(door.limiter.meters(door.now_s)) == []


def test_a_clock_that_stands_still_or_goes_back_gives_nothing() -> None:
    """No request for free."""
    door = Door(Limits(rpm=2))
    assert door.served(5) == 2
    door.now_s -= 100
    assert door.served(5) == 0


@given(
    st.lists(st.tuples(st.floats(0, 30), st.integers(0, 50), st.integers(0, 80)), max_size=60),
    st.integers(1, 20),
    st.integers(1, 200),
)
def test_no_more_is_served_than_was_there_and_dripped_in(
    steps: list[tuple[float, int, int]], rpm: int, tpm: int
) -> None:
    """Over any time: requests <= limit + elapsed x rate; and nobody is told to wait more than a minute."""
    door = Door(Limits(rpm=rpm, tpm=tpm))
    start_s, served = door.now_s, 0
    waits_s: list[float] = []
    for wait_s, estimate, used in steps:
        door.now_s += wait_s
        try:
            door.admit(estimate).end(used)
            served += 1
        except RateLimited as refusal:
            waits_s.append(refusal.retry_after_s)
        assert served <= rpm + (door.now_s - start_s) * rpm / 60 + 1e-6
    assert all(0 < wait_s <= 60 for wait_s in waits_s)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0ms"), (0.012, "12ms"), (0.9996, "1s"), (1, "1s"), (1.5, "1.5s"), (59.9999, "1m0s"), (360, "6m0s")],
)
def test_durations_are_written_as_openai_does(seconds: float, text: str) -> None:
    """`12ms`, `1s`, `6m0s`."""
    assert duration(seconds) == text

"""Announcements: who sees what, when, and in which language."""

from uuid import UUID

import msgspec
import pytest
from hypothesis import given as always
from hypothesis import strategies as st

from domain import announcements
from domain.announcements import (
    ANNOUNCEMENTS_MAX,
    Announcement,
    Announcements,
    AnnouncementSet,
    AnnouncementWithdrawn,
    Audience,
    Words,
)
from domain.fact import Stamp
from domain.refusal import BadField, NotFound, WrongState
from tests.spec import Spec

ONE, ACCOUNT, OTHER = UUID(int=1), UUID(int=2), UUID(int=3)
AT = Stamp(now_us=50, actor="system")
WANTED = Announcement(
    announcement_id=ONE,
    severity="info",
    texts={
        "en": Words(title="Maintenance", body="On Sunday.\nFor an hour."),
        "ja": Words(title="メンテナンス"),
    },
    audience="customers",
    from_us=100,
    until_us=200,
)
SET = AnnouncementSet(**msgspec.structs.asdict(WANTED), occurred_us=50, actor="system")
SPEC = Spec(announcements.evolve, initial=Announcements())


def wanted(**changes: object) -> Announcement:
    return msgspec.structs.replace(WANTED, **changes)


def live(one: Announcement, account_id: UUID | None = ACCOUNT, *, now_us: int = 150) -> bool:
    return bool(Announcements({one.announcement_id: one}).shown_to(account_id, now_us=now_us))


def test_an_announcement_is_set_once_and_worded_anew_by_its_id() -> None:
    """The same again is nothing; another wording replaces the whole."""
    SPEC.given().when(lambda state: announcements.set_announcement(state, WANTED, stamp=AT)).then(SET)
    SPEC.given(SET).when(lambda state: announcements.set_announcement(state, WANTED, stamp=AT)).then_nothing()
    shorter = wanted(texts={"en": Words(title="Maintenance")})
    (again,) = announcements.set_announcement(SPEC.fold(SET), shorter, stamp=AT)
    assert SPEC.fold(SET, again).by_id == {ONE: shorter}


def test_a_withdrawn_announcement_is_gone() -> None:
    """It is shown to nobody, and cannot be withdrawn twice."""
    gone = AnnouncementWithdrawn(announcement_id=ONE, occurred_us=50, actor="system")
    SPEC.given(SET).when(lambda state: announcements.withdraw(state, ONE, stamp=AT)).then(gone)
    SPEC.given(SET, gone).when(lambda state: announcements.withdraw(state, ONE, stamp=AT)).then_refused(
        NotFound
    )
    assert SPEC.fold(SET, gone).shown_to(ACCOUNT, now_us=150) == ()


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"texts": {"ja": Words(title="x")}}, "texts"),
        ({"texts": {"en": Words(title=" ")}}, "texts"),
        ({"texts": {"en": Words(title="two\nlines")}}, "texts"),
        ({"texts": {"en": Words(title="x", body="\x1b[2J")}}, "texts"),
        ({"texts": {"en": Words(title="x", body="x" * 4_001)}}, "texts"),
        ({"until_us": 100}, "until_us"),
        ({"audience": "accounts"}, "account_ids"),
        ({"account_ids": (ACCOUNT,)}, "account_ids"),
        (
            {"audience": "accounts", "account_ids": tuple(map(UUID, [f"{n:032x}" for n in range(1001)]))},
            "account_ids",
        ),
    ],
)
def test_what_cannot_be_shown_is_refused(changes: dict[str, object], field: str) -> None:
    """And so is what would be shown to nobody."""
    with pytest.raises(BadField) as refusal:
        announcements.set_announcement(Announcements(), wanted(**changes), stamp=AT)
    assert refusal.value.field == field


def test_there_is_room_for_so_many_that_are_not_over() -> None:
    """Whatever is over takes no room, and an old one can be worded anew in a full list."""
    full = Announcements(
        {UUID(int=n + 10): wanted(announcement_id=UUID(int=n + 10)) for n in range(ANNOUNCEMENTS_MAX)}
    )
    with pytest.raises(WrongState):
        announcements.set_announcement(full, WANTED, stamp=AT)
    assert announcements.set_announcement(full, WANTED, stamp=Stamp(now_us=200, actor="system"))
    reworded = wanted(announcement_id=UUID(int=10), severity="critical")
    assert announcements.set_announcement(full, reworded, stamp=AT)


def test_readers_get_their_language_or_english() -> None:
    """Nobody is left without a text."""
    assert WANTED.words("ja") == ("ja", WANTED.texts["ja"])
    assert WANTED.words("ko") == ("en", WANTED.texts["en"])


def test_the_most_severe_comes_first_then_the_newest() -> None:
    """The order in which a page shows them."""
    some = [
        wanted(announcement_id=UUID(int=7), from_us=90),
        wanted(announcement_id=UUID(int=8), from_us=110),
        wanted(announcement_id=UUID(int=9), severity="critical", from_us=80),
    ]
    shown = Announcements({one.announcement_id: one for one in some}).shown_to(ACCOUNT, now_us=150)
    assert [one.announcement_id.int for one in shown] == [9, 8, 7]


@always(
    audience=st.sampled_from(["public", "customers", "accounts"]),
    account_id=st.sampled_from([None, ACCOUNT, OTHER]),
    now_us=st.integers(0, 300),
)
def test_nobody_sees_what_is_not_for_them_or_not_for_now(
    audience: Audience, account_id: UUID | None, now_us: int
) -> None:
    """Public is for all, customers for members, accounts for those named; from the begin to before the end."""
    one = wanted(audience=audience, account_ids=(ACCOUNT,) if audience == "accounts" else ())
    for_them = {"public": True, "customers": account_id is not None, "accounts": account_id == ACCOUNT}
    assert live(one, account_id, now_us=now_us) == (for_them[audience] and 100 <= now_us < 200)

"""Members: who lets whom in, and that an account is never without an owner."""

from uuid import UUID

import msgspec
import pytest
from hypothesis import given as always
from hypothesis import strategies as st

from domain import members
from domain.fact import SYSTEM, Actor, Stamp
from domain.invitations import INVITATION_VALID_US, BadInvitation
from domain.members import (
    INVITATIONS_MAX,
    MEMBER_PERMISSIONS,
    LastOwner,
    MemberEvent,
    MemberJoined,
    MemberRole,
    Members,
)
from domain.privacy import Sealed
from domain.refusal import NotFound, NotPermitted, Refusal, WrongState

ACCOUNT, OWNER, OTHER, NOBODY = UUID(int=1), UUID(int=2), UUID(int=3), UUID(int=9)
AT = Stamp(now_us=5, actor="system")
PII = Sealed(key_id=UUID(int=7), ciphertext=b"c" * 29)


def joined(person_id: UUID, role: MemberRole) -> MemberJoined:
    return MemberJoined(
        account_id=ACCOUNT,
        invitation_id=UUID(int=50),
        person_id=person_id,
        role=role,
        pii=PII,
        occurred_us=1,
        actor="system",
    )


def after(*events: MemberEvent, state: Members = members.NO_MEMBERS) -> Members:
    for event in events:
        state = members.evolve(state, event)
    return state


def invite(state: Members, role: MemberRole, *, by: Actor, secret: str = "aa", number: int = 60) -> Members:
    decided = members.invite(
        state,
        account_id=ACCOUNT,
        invitation_id=UUID(int=number),
        role=role,
        secret_hash=secret,
        by=by,
        stamp=AT,
    )
    return after(*decided, state=state)


def join(state: Members, person_id: UUID, *, secret: str = "aa", now_us: int = 6) -> Members:
    stamp = Stamp(now_us=now_us, actor="member")
    decided = members.join(
        state, account_id=ACCOUNT, secret_hash=secret, person_id=person_id, pii=PII, stamp=stamp
    )
    return after(*decided, state=state)


def change(state: Members, person_id: UUID, role: MemberRole, *, by: Actor) -> Members:
    decided = members.change_role(state, account_id=ACCOUNT, person_id=person_id, role=role, by=by, stamp=AT)
    return after(*decided, state=state)


def remove(state: Members, person_id: UUID, *, by: Actor) -> Members:
    decided = members.remove(state, account_id=ACCOUNT, person_id=person_id, by=by, stamp=AT)
    return after(*decided, state=state)


def test_an_address_changes_nothing_but_itself() -> None:
    """Role and beginning stay; of somebody who has left nothing is noted."""
    other = Sealed(key_id=PII.key_id, ciphertext=b"d" * 29)
    before = after(joined(OWNER, "owner"), joined(OTHER, "viewer"))

    def changed(person_id: UUID) -> Members:
        decided = members.change_address(before, account_id=ACCOUNT, person_id=person_id, pii=other, stamp=AT)
        return after(*decided, state=before)

    assert changed(NOBODY) == before
    found = changed(OTHER)
    assert found.members[OWNER] == before.members[OWNER]
    assert found.members[OTHER] == msgspec.structs.replace(before.members[OTHER], pii=other)


def test_a_link_lets_one_person_in_once() -> None:
    """With the role that it was made for; the second to follow it is refused, and so is one with another secret."""
    state = join(invite(members.NO_MEMBERS, "developer", by=SYSTEM), OTHER)
    assert state.members[OTHER].role == "developer"
    with pytest.raises(BadInvitation):
        join(state, NOBODY)
    with pytest.raises(BadInvitation):
        join(invite(state, "viewer", by=SYSTEM), NOBODY, secret="bb")


def test_a_link_ends_after_a_week_or_when_it_is_withdrawn() -> None:
    """To the microsecond; withdrawing it twice does nothing."""
    state = invite(members.NO_MEMBERS, "viewer", by=SYSTEM)
    end_us = AT.now_us + INVITATION_VALID_US
    assert join(state, OTHER, now_us=end_us - 1).members
    with pytest.raises(BadInvitation):
        join(state, OTHER, now_us=end_us)
    for _ in range(2):
        decided = members.withdraw(state, account_id=ACCOUNT, invitation_id=UUID(int=60), by=SYSTEM, stamp=AT)
        state = after(*decided, state=state)
    with pytest.raises(BadInvitation):
        join(state, OTHER)


def test_nobody_joins_twice() -> None:
    """A member who follows another link keeps their role."""
    state = invite(after(joined(OTHER, "viewer")), "owner", by=SYSTEM)
    with pytest.raises(WrongState):
        join(state, OTHER)


@pytest.mark.parametrize("role", [role for role in MEMBER_PERMISSIONS if role not in {"owner", "admin"}])
def test_only_owners_and_admins_let_people_in(role: MemberRole) -> None:
    """What a role gives is judged when it is used, and somebody else's id gives nothing."""
    state = after(joined(OWNER, "owner"), joined(OTHER, role))
    for by in (Actor("member", OTHER), Actor("member", NOBODY), Actor("member")):
        with pytest.raises(NotPermitted):
            invite(state, "viewer", by=by)
        with pytest.raises(NotPermitted):
            members.withdraw(state, account_id=ACCOUNT, invitation_id=NOBODY, by=by, stamp=AT)
        with pytest.raises(NotPermitted):
            change(state, OWNER, "viewer", by=by)
        with pytest.raises(NotPermitted):
            remove(state, OWNER, by=by)


def test_only_owners_make_and_unmake_owners() -> None:
    """An admin can raise nobody above themselves, nor themselves."""
    state = after(joined(OWNER, "owner"), joined(OTHER, "admin"))
    by = Actor("member", OTHER)
    for attempt in (
        lambda: invite(state, "owner", by=by),
        lambda: change(state, OTHER, "owner", by=by),
        lambda: change(state, OWNER, "viewer", by=by),
        lambda: remove(state, OWNER, by=by),
    ):
        with pytest.raises(NotPermitted):
            attempt()
    assert invite(state, "admin", by=by).invitations
    assert change(state, OTHER, "owner", by=Actor("member", OWNER)).members[OTHER].role == "owner"


def test_everyone_may_leave_but_the_last_owner() -> None:
    """With a second owner the first may go."""
    state = after(joined(OWNER, "owner"), joined(OTHER, "viewer"))
    assert OTHER not in remove(state, OTHER, by=Actor("member", OTHER)).members
    with pytest.raises(LastOwner):
        remove(state, OWNER, by=Actor("member", OWNER))
    with pytest.raises(LastOwner):
        change(state, OWNER, "admin", by=SYSTEM)
    both = change(state, OTHER, "owner", by=SYSTEM)
    assert OWNER not in remove(both, OWNER, by=Actor("member", OWNER)).members


def test_who_is_no_member_cannot_be_changed() -> None:
    """Nor removed; the same role again says nothing."""
    state = after(joined(OWNER, "owner"))
    with pytest.raises(NotFound):
        change(state, NOBODY, "viewer", by=SYSTEM)
    with pytest.raises(NotFound):
        remove(state, NOBODY, by=SYSTEM)
    assert change(state, OWNER, "owner", by=SYSTEM) == state


def test_links_are_bounded() -> None:
    """One above the bound is refused."""
    state = members.NO_MEMBERS
    for number in range(INVITATIONS_MAX):
        state = invite(state, "viewer", by=SYSTEM, secret=f"{number:x}", number=100 + number)
    with pytest.raises(WrongState):
        invite(state, "viewer", by=SYSTEM)


ROLES = st.sampled_from(sorted(MEMBER_PERMISSIONS))
PEOPLE = st.integers(1, 4).map(lambda number: UUID(int=number))


@always(st.lists(st.tuples(st.sampled_from(["change", "remove"]), PEOPLE, PEOPLE, ROLES), max_size=30))
def test_an_account_with_an_owner_always_has_one(
    acts: list[tuple[str, UUID, UUID, MemberRole]],
) -> None:
    """Whatever whoever tries, in whatever order."""
    state = after(joined(UUID(int=1), "owner"), joined(UUID(int=2), "owner"), joined(UUID(int=3), "admin"))
    for act, by, whom, role in acts:
        actor = Actor("member", by)
        try:
            state = change(state, whom, role, by=actor) if act == "change" else remove(state, whom, by=actor)
        except Refusal:
            continue
        assert any(one.role == "owner" for one in state.members.values())

"""Management keys: who makes them, and that none is worth more than whoever made it."""

from typing import get_args
from uuid import UUID

import pytest

from domain import management
from domain.accounts import Account
from domain.fact import SYSTEM, Actor, Stamp
from domain.keys.secret import SecretRecord
from domain.management import (
    InvalidManagementKey,
    ManagementKey,
    ManagementKeyIssued,
    ManagementKeyRevoked,
    ManagementKeyRotated,
    ManagementRole,
)
from domain.members import MEMBER_PERMISSIONS, Member, MemberRole, Members
from domain.privacy import Sealed
from domain.refusal import AlreadyExists, BadField, NotFound, NotPermitted, WrongState
from tests.spec import Spec

ACCOUNT, KEY, PERSON = UUID(int=1), UUID(int=2), UUID(int=3)
MEMBER = Actor("member", PERSON)
AT = Stamp(now_us=10, actor="member:x")
FIRST = SecretRecord(secret_hash="aa", prefix="tk_mgmt_1")
SECOND = SecretRecord(secret_hash="bb", prefix="tk_mgmt_2")
OPEN = Account(account_id=ACCOUNT)


def members(role: MemberRole) -> Members:
    pii = Sealed(key_id=UUID(int=7), ciphertext=b"c" * 29)
    return Members(members={PERSON: Member(person_id=PERSON, role=role, pii=pii, since_us=1)})


def issued(*, role: ManagementRole = "admin", person_id: UUID | None = PERSON) -> ManagementKeyIssued:
    return ManagementKeyIssued(
        key_id=KEY,
        account_id=ACCOUNT,
        role=role,
        prefix=FIRST.prefix,
        secret_hash=FIRST.secret_hash,
        person_id=person_id,
        occurred_us=10,
        actor="member:x",
    )


def issue(
    key: ManagementKey | None,
    *,
    by: Actor = MEMBER,
    of: Members | None = None,
    account: Account = OPEN,
    expires_us: int | None = None,
) -> list[management.ManagementEvent]:
    return management.issue(
        key,
        key_id=KEY,
        account=account,
        members=members("owner") if of is None else of,
        role="admin",
        secret=FIRST,
        expires_us=expires_us,
        by=by,
        stamp=AT,
    )


spec: Spec[ManagementKey | None] = Spec(management.evolve, initial=None)


def test_a_member_who_manages_members_makes_a_key_in_their_own_name() -> None:
    """The fact names them; an operator's key names nobody."""
    spec.given().when(issue).then(issued())
    by_operator = issue(None, by=Actor("operator", UUID(int=9)))
    assert [one.person_id for one in by_operator if isinstance(one, ManagementKeyIssued)] == [None]


@pytest.mark.parametrize("role", ["developer", "billing", "viewer"])
def test_other_members_make_change_and_end_none(role: MemberRole) -> None:
    """Nor does somebody who is no member."""
    for of in (members(role), Members()):
        spec.given().when(lambda key, of=of: issue(key, of=of)).then_refused(NotPermitted)
        for decide in (
            lambda key, of=of: management.rotate(
                key, members=of, secret=SECOND, overlap_s=0, by=MEMBER, stamp=AT
            ),
            lambda key, of=of: management.revoke(key, members=of, reason="x", by=MEMBER, stamp=AT),
        ):
            spec.given(issued()).when(decide).then_refused(NotPermitted)


def test_no_program_makes_a_key() -> None:
    """Else a key could outlive its own revocation."""
    by = Actor("management-key", PERSON)
    spec.given().when(lambda key: issue(key, by=by)).then_refused(NotPermitted)


def test_an_id_a_closed_account_and_a_time_that_has_passed_are_refused() -> None:
    """Each with what is wrong."""
    closed = Account(account_id=ACCOUNT, status="closed")
    spec.given(issued()).when(issue).then_refused(AlreadyExists)
    spec.given().when(lambda key: issue(key, account=closed)).then_refused(WrongState)
    spec.given().when(lambda key: issue(key, expires_us=10)).then_refused(BadField)


def test_a_new_secret_leaves_the_one_before_its_overlap() -> None:
    """And an older one nothing."""
    rotated = ManagementKeyRotated(
        key_id=KEY,
        prefix=SECOND.prefix,
        secret_hash=SECOND.secret_hash,
        overlap_until_us=10 + 5_000_000,
        occurred_us=10,
        actor="member:x",
    )
    spec.given(issued()).when(
        lambda key: management.rotate(
            key, members=members("admin"), secret=SECOND, overlap_s=5, by=MEMBER, stamp=AT
        )
    ).then(rotated)
    key = spec.fold(issued(), rotated, rotated)
    assert key is not None
    assert [one.secret_hash for one in key.secrets] == ["bb", "bb"]
    assert key.secrets[1].valid_until_us == 5_000_010
    for overlap_s in (-1, management.OVERLAP_S_MAX + 1):
        spec.given(issued()).when(
            lambda key, overlap_s=overlap_s: management.rotate(
                key, members=members("admin"), secret=SECOND, overlap_s=overlap_s, by=SYSTEM, stamp=AT
            )
        ).then_refused(BadField)


def test_a_revoked_key_is_dead_for_good() -> None:
    """Revoking it twice does nothing; what is not there cannot be."""
    revoked = ManagementKeyRevoked(key_id=KEY, reason="leaked", occurred_us=10, actor="member:x")

    def revoke(key: ManagementKey | None) -> list[management.ManagementEvent]:
        return management.revoke(key, members=members("owner"), reason=" leaked ", by=MEMBER, stamp=AT)

    spec.given(issued()).when(revoke).then(revoked)
    spec.given(issued(), revoked).when(revoke).then()
    spec.given().when(revoke).then_refused(NotFound)
    spec.given(issued(), revoked).when(
        lambda key: management.rotate(
            key, members=members("owner"), secret=SECOND, overlap_s=0, by=MEMBER, stamp=AT
        )
    ).then_refused(WrongState)


@pytest.mark.parametrize("role", get_args(ManagementRole))
@pytest.mark.parametrize("maker", MEMBER_PERMISSIONS)
def test_a_key_allows_what_its_maker_may_now_and_never_more(role: ManagementRole, maker: MemberRole) -> None:
    """Whoever is demoted takes their keys along; whoever is gone leaves none that open. No program manages people."""
    key = spec.fold(issued(role=role))
    assert key is not None
    allowed = key.permissions(members(maker))
    assert allowed == (MEMBER_PERMISSIONS[role] & MEMBER_PERMISSIONS[maker]) - {"members"}
    with pytest.raises(InvalidManagementKey):
        key.permissions(Members())


def test_an_operators_key_depends_on_no_member() -> None:
    """It allows what its role does."""
    key = spec.fold(issued(role="developer", person_id=None))
    assert key is not None
    assert key.permissions(Members()) == {"read", "keys"}

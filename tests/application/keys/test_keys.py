"""Commands about API keys."""

from uuid import UUID

import pytest

from application.accounts import open_account
from application.command import Ports, load
from application.keys import import_key, issue_key, revoke_key, rotate_key, set_key_expiry, set_key_limits
from application.keys.stream import IssuedKey, SecretTaken
from domain.fact import SYSTEM
from domain.keys import key as rules
from domain.keys.key import ApiKey
from domain.keys.secret import has_our_shape
from domain.limits import Limits
from domain.refusal import BadField, NotFound
from domain.secret import Secret
from tests.fakes import NOON_US, MemoryEventStore, memory_ports

BROUGHT = "sk-brought-along-0123456789"


def account(ports: Ports) -> UUID:
    return open_account.handle(open_account.OpenAccount(name="A"), actor=SYSTEM, ports=ports).id


def issued(ports: Ports, account_id: UUID) -> IssuedKey:
    return issue_key.handle(
        issue_key.IssueKey(account_id=account_id, name="ci", rpm=5), actor=SYSTEM, ports=ports
    )


def brought(ports: Ports, account_id: UUID, secret: str = BROUGHT) -> IssuedKey:
    command = import_key.ImportKey(account_id=account_id, name="old", secret=Secret(secret))
    return import_key.handle(command, actor=SYSTEM, ports=ports)


def loaded(ports: Ports, key_id: UUID) -> ApiKey:
    key = load(ports.store, key_id, None, rules.evolve)
    assert key is not None
    return key


def test_a_secret_is_shown_once_and_kept_as_a_keyed_hash() -> None:
    """Neither the log nor the names nor a repr hold it."""
    ports = memory_ports()
    key = issued(ports, account(ports))
    text = key.secret.reveal()
    assert has_our_shape(text)
    assert text.startswith(key.prefix)
    assert loaded(ports, key.key_id).secrets[0].secret_hash == ports.hasher.digest(text.encode()).hex()
    assert isinstance(ports.store, MemoryEventStore)
    assert all(text.encode() not in one.state for one in ports.store.log)
    assert text not in f"{key!r}{ports.names.get([key.key_id])}"


def test_a_secret_belongs_to_one_key_for_ever() -> None:
    """It cannot be imported twice, nor an issued one to another account, nor after it was revoked."""
    ports = memory_ports()
    mine, other = account(ports), account(ports)
    old = brought(ports, mine)
    with pytest.raises(SecretTaken):
        brought(ports, other)
    with pytest.raises(SecretTaken):
        brought(ports, other, issued(ports, mine).secret.reveal())
    revoke = revoke_key.RevokeKey(key_id=old.key_id, reason="leaked")
    revoke_key.handle(revoke, actor=SYSTEM, ports=ports)
    before = ports.store.head_position()
    with pytest.raises(SecretTaken) as caught:
        brought(ports, other)
    assert ports.store.head_position() == before
    assert BROUGHT not in repr(caught.value)


def test_two_imports_at_once_give_one_key() -> None:
    """The claim decides in the same append, whoever comes second."""
    ports = memory_ports()
    mine, other = account(ports), account(ports)
    assert isinstance(ports.store, MemoryEventStore)
    ports.store.before_append = lambda: brought(ports, other)
    with pytest.raises(SecretTaken):
        brought(ports, mine)
    topics = [one.topic for one in ports.store.log]
    assert topics.count("key.issued.v1") == topics.count("key.secret-claimed.v1") == 1


def test_a_conflict_on_the_key_itself_is_decided_again() -> None:
    """Another writer of the same key is no other owner of the secret."""
    ports = memory_ports()
    key = issued(ports, account(ports))
    assert isinstance(ports.store, MemoryEventStore)
    limit = set_key_limits.SetKeyLimits(key_id=key.key_id, rpm=9)
    ports.store.before_append = lambda: set_key_limits.handle(limit, actor=SYSTEM, ports=ports)
    rotate_key.handle(rotate_key.RotateKey(key_id=key.key_id), actor=SYSTEM, ports=ports)
    after = loaded(ports, key.key_id)
    assert after.limits == Limits(rpm=9)
    assert len(after.secrets) == 2


def test_a_key_is_rotated_limited_and_expires() -> None:
    """Each command changes what the log says."""
    ports = memory_ports()
    key = issued(ports, account(ports))
    again = rotate_key.handle(
        rotate_key.RotateKey(key_id=key.key_id, overlap_s=60), actor=SYSTEM, ports=ports
    )
    assert again.secret.reveal() != key.secret.reveal()
    expire = set_key_expiry.SetKeyExpiry(key_id=key.key_id, expires_us=NOON_US + 1)
    set_key_expiry.handle(expire, actor=SYSTEM, ports=ports)
    after = loaded(ports, key.key_id)
    assert after.limits == Limits(rpm=5)
    assert after.expires_us == NOON_US + 1
    assert after.secrets[1].valid_until_us == NOON_US + 60_000_000


def test_what_does_not_exist_is_not_found() -> None:
    """No key for no account, no limits for no key."""
    ports = memory_ports()
    with pytest.raises(NotFound):
        issued(ports, UUID(int=99))
    with pytest.raises(NotFound):
        set_key_limits.handle(set_key_limits.SetKeyLimits(key_id=UUID(int=99)), actor=SYSTEM, ports=ports)


def test_a_weak_secret_is_not_imported() -> None:
    """And leaves no trace."""
    ports = memory_ports()
    account_id = account(ports)
    with pytest.raises(BadField):
        brought(ports, account_id, "password")
    assert ports.store.head_position() == 1

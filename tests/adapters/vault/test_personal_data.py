"""Envelopes: one key for each subject, bound to subject and place, gone for good once erased."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from uuid import UUID

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from adapters.vault import MasterKeys, PostgresPersonalData, PostgresVault
from adapters.vault.session import Pool
from application.vault import MasterKeyMissing, VaultDamaged
from domain.privacy import Sealed, SubjectErased

ADA, BOB = UUID(int=1), UUID(int=2)
OLD, NEW = b"o" * 31 + b"1", b"n" * 31 + b"1"
PLACE = "account.contact-set.v1"
CANARY = b"ada.canary@example.com"


def personal_data(pool: Pool, **keys: bytes) -> PostgresPersonalData:
    return PostgresPersonalData(pool, MasterKeys(keys or {"old": OLD}))


@given(plaintext=st.binary(max_size=300))
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_what_is_sealed_opens_again(pool: Pool, plaintext: bytes) -> None:
    """Whatever it is; the same twice looks different, and both name the one key of the subject."""
    personal = personal_data(pool)
    one, two = (personal.seal(ADA, plaintext, place=PLACE) for _ in range(2))
    assert personal.open(ADA, one, place=PLACE) == personal.open(ADA, two, place=PLACE) == plaintext
    assert one.key_id == two.key_id
    assert one.ciphertext != two.ciphertext


def moved(sealed: Sealed) -> tuple[UUID, Sealed, str]:
    return BOB, sealed, PLACE


def placed_elsewhere(sealed: Sealed) -> tuple[UUID, Sealed, str]:
    return ADA, sealed, "invoice.issued.v1"


def flipped(sealed: Sealed) -> tuple[UUID, Sealed, str]:
    last = sealed.ciphertext[-1] ^ 1
    return ADA, msgspec.structs.replace(sealed, ciphertext=sealed.ciphertext[:-1] + bytes([last])), PLACE


def cut(sealed: Sealed) -> tuple[UUID, Sealed, str]:
    return ADA, msgspec.structs.replace(sealed, ciphertext=sealed.ciphertext[:7]), PLACE


@pytest.mark.parametrize("tamper", [moved, placed_elsewhere, flipped, cut])
def test_an_envelope_opens_only_where_it_belongs(
    pool: Pool, tamper: Callable[[Sealed], tuple[UUID, Sealed, str]]
) -> None:
    """Another subject's, another place's, or a changed one does not open, and the error shows nothing of it."""
    personal = personal_data(pool)
    personal.seal(BOB, b"Bob", place=PLACE)
    subject_id, sealed, place = tamper(personal.seal(ADA, CANARY, place=PLACE))
    with pytest.raises(VaultDamaged) as caught:
        personal.open(subject_id, sealed, place=place)
    assert "canary" not in str(caught.value)


def test_an_erased_subject_is_gone_for_good(pool: Pool) -> None:
    """No envelope opens, no new key is made, erasing again names the same key; others are untouched."""
    personal = personal_data(pool)
    ada, bob = (personal.seal(one, CANARY, place=PLACE) for one in (ADA, BOB))
    assert personal.erase(ADA) == personal.erase(ADA) == ada.key_id
    assert personal.open(ADA, ada, place=PLACE) is None
    with pytest.raises(SubjectErased):
        personal.seal(ADA, CANARY, place=PLACE)
    assert personal.open(BOB, bob, place=PLACE) == CANARY
    with pool.connection() as connection:
        rows = connection.execute("SELECT sealed FROM subject_keys WHERE subject_id = %s", (ADA,)).fetchall()
    assert rows == [(None,)]


def test_a_subject_without_data_can_be_erased(pool: Pool) -> None:
    """There is no key to name, and there will be none."""
    personal = personal_data(pool)
    assert personal.erase(ADA) is None
    with pytest.raises(SubjectErased):
        personal.seal(ADA, CANARY, place=PLACE)


def test_many_at_once_agree_on_one_key(pool: Pool) -> None:
    """The first to seal makes it; what each of them sealed opens."""
    personal = personal_data(pool)
    with ThreadPoolExecutor(4) as threads:
        sealed = list(threads.map(lambda _: personal.seal(ADA, CANARY, place=PLACE), range(8)))
    assert len({one.key_id for one in sealed}) == 1
    assert {personal.open(ADA, one, place=PLACE) for one in sealed} == {CANARY}


def test_a_new_master_key_takes_over_the_subjects_keys(pool: Pool) -> None:
    """Envelopes stay as they are in the log; after the rotation the old master key is not needed."""
    sealed = personal_data(pool).seal(ADA, CANARY, place=PLACE)
    personal_data(pool).erase(BOB)
    rotated = PostgresVault(pool, MasterKeys({"new": NEW, "old": OLD})).rotate_master_key(batch_rows=1)
    assert rotated.resealed == 1
    assert personal_data(pool, new=NEW).open(ADA, sealed, place=PLACE) == CANARY
    with pytest.raises(MasterKeyMissing):
        personal_data(pool, old=OLD).open(ADA, sealed, place=PLACE)

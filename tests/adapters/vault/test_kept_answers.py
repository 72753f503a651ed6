"""Answers that are kept for repeated requests."""

from uuid import UUID

import pytest

from adapters.vault import MasterKeys, PostgresKeptAnswers, PostgresPersonalData
from adapters.vault.kept_answers import purge_kept_answers
from adapters.vault.session import Pool
from application.idempotent_requests.kept_answers import KeptAnswer
from application.vault import VaultDamaged
from domain.privacy import SubjectErased

KEYS = MasterKeys({"k": b"k" * 31 + b"1"})
ADA, BOB = UUID(int=1), UUID(int=2)
FIRST, SECOND = UUID(int=11), UUID(int=12)
ANSWER = KeptAnswer(status=200, headers=((b"content-type", b"application/json"),), body=b'"canary"\xff')


@pytest.fixture
def answers(pool: Pool) -> PostgresKeptAnswers:
    return PostgresKeptAnswers(pool, PostgresPersonalData(pool, KEYS))


def test_an_answer_comes_back_and_the_table_does_not_show_it(
    answers: PostgresKeptAnswers, pool: Pool
) -> None:
    """Kept once: a second one for the same request changes nothing."""
    answers.keep(ANSWER, account_id=ADA, request_id=FIRST)
    other = KeptAnswer(status=200, headers=(), body=b"other")
    answers.keep(other, account_id=ADA, request_id=FIRST)
    assert answers.find(account_id=ADA, request_id=FIRST) == ANSWER
    assert answers.find(account_id=ADA, request_id=SECOND) is None
    with pool.connection() as connection:
        (row,) = connection.execute("SELECT ciphertext FROM kept_answers").fetchall()
    assert b"canary" not in row[0]


def test_an_answer_belongs_to_one_request_of_one_account(answers: PostgresKeptAnswers, pool: Pool) -> None:
    """Moved to another row, or asked for by another account, it does not open."""
    for account_id, request_id in ((ADA, FIRST), (BOB, SECOND)):
        answers.keep(ANSWER, account_id=account_id, request_id=request_id)
    with pytest.raises(VaultDamaged):
        answers.find(account_id=BOB, request_id=FIRST)
    with pool.connection() as connection:
        connection.execute(
            "UPDATE kept_answers SET ciphertext = (SELECT ciphertext FROM kept_answers WHERE request_id = %s)"
            " WHERE request_id = %s",
            (SECOND, FIRST),
        )
    with pytest.raises(VaultDamaged):
        answers.find(account_id=ADA, request_id=FIRST)


def test_an_erasure_takes_the_answers_along(answers: PostgresKeptAnswers, pool: Pool) -> None:
    """They may quote whom they were for; nothing is kept for the account afterwards."""
    answers.keep(ANSWER, account_id=ADA, request_id=FIRST)
    PostgresPersonalData(pool, KEYS).erase(ADA)
    assert answers.find(account_id=ADA, request_id=FIRST) is None
    with pytest.raises(SubjectErased):
        answers.keep(ANSWER, account_id=ADA, request_id=SECOND)


def test_old_answers_are_purged_in_batches(answers: PostgresKeptAnswers, pool: Pool) -> None:
    """Young ones are kept."""
    for number in range(5):
        answers.keep(ANSWER, account_id=ADA, request_id=UUID(int=100 + number))
    with pool.connection() as connection:
        connection.execute("UPDATE kept_answers SET kept_at = kept_at - interval '2 days'")
    answers.keep(ANSWER, account_id=ADA, request_id=FIRST)
    assert purge_kept_answers(pool, batch_rows=2) == 5
    assert purge_kept_answers(pool) == 0
    assert answers.find(account_id=ADA, request_id=FIRST) == ANSWER

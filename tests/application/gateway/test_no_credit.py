"""What a client is told whose account has not enough for a request."""

from uuid import UUID

from application.gateway.refusals import in_debt, no_credit, over_budget
from application.wire.errors import SPECS
from domain.ledger.refusals import AccountInDebt, BudgetExceeded, InsufficientCredit


def test_credit_that_is_not_there_is_recharged() -> None:
    """Waiting would not help: no open request holds enough."""
    refused = no_credit(InsufficientCredit(required_nano=90, available_nano=20, held_nano=69))
    assert refused.code == "insufficient_quota"
    assert "0.00000009 credits are required, 0.00000002 are available for this model" in refused.message
    assert SPECS[refused.code].retry_useless


def test_credit_that_is_held_comes_free_when_requests_end() -> None:
    """The client is told how much is held, and that it helps to try again."""
    refused = no_credit(InsufficientCredit(required_nano=90, available_nano=20, held_nano=70))
    assert refused.code == "credit_held"
    assert "up to 0.00000007 more are held" in refused.message
    assert SPECS[refused.code].status == 402
    assert not SPECS[refused.code].retry_useless


def test_who_owes_is_told_what() -> None:
    """Waiting would not help: it is to be paid."""
    refused = in_debt(AccountInDebt(owed_nano=70))
    assert (refused.code, refused.numbers) == ("account_in_debt", {"owed_nano": 70})
    assert SPECS[refused.code].status == 402
    assert SPECS[refused.code].retry_useless


def test_a_spent_budget_is_told_with_its_numbers_and_its_end() -> None:
    """Waiting helps when the day, month or hour ends; the log is told which budget it was."""
    budget_id = UUID(int=7)
    refusal = BudgetExceeded(
        budget_id, budget_nano=500, required_nano=90, available_nano=20, held_nano=69, until_us=8_000_000
    )
    refused = over_budget(refusal, now_us=3_000_000)
    assert (refused.code, refused.retry_after_s) == ("budget_exceeded", 5)
    assert (refused.rule, refused.limit) == (str(budget_id), 500)
    assert refused.numbers == {
        "budget_nano": 500,
        "spent_nano": 411,
        "held_nano": 69,
        "required_nano": 90,
        "available_nano": 20,
        "until_us": 8_000_000,
    }


def test_a_budget_that_is_held_comes_free_when_requests_end() -> None:
    """The client is told to try again soon."""
    refusal = BudgetExceeded(
        UUID(int=7), budget_nano=500, required_nano=90, available_nano=20, held_nano=70, until_us=2**60
    )
    refused = over_budget(refusal, now_us=0)
    assert refused.retry_after_s == 1
    assert "up to 0.00000007 more are held" in refused.message


def test_less_than_nothing_is_told_as_such() -> None:
    """Of a budget that was lowered below what is spent."""
    refused = no_credit(InsufficientCredit(required_nano=1_500_000_000, available_nano=-20, held_nano=0))
    assert "1.5 credits are required, -0.00000002 are available" in refused.message

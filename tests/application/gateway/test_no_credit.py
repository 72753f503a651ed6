"""What a client is told whose account has not enough for a request."""

from application.gateway.refusals import no_credit
from application.wire.errors import SPECS
from domain.ledger.refusals import InsufficientCredit


def test_credit_that_is_not_there_is_recharged() -> None:
    """Waiting would not help: no open request holds enough."""
    refused = no_credit(InsufficientCredit(required_nano=90, available_nano=20, held_nano=69))
    assert refused.code == "insufficient_quota"
    assert "90 nano-credits are required, 20 are available for this model" in refused.message
    assert SPECS[refused.code].retry_useless


def test_credit_that_is_held_comes_free_when_requests_end() -> None:
    """The client is told how much is held, and that it helps to try again."""
    refused = no_credit(InsufficientCredit(required_nano=90, available_nano=20, held_nano=70))
    assert refused.code == "credit_held"
    assert "up to 70 more are held" in refused.message
    assert SPECS[refused.code].status == 402
    assert not SPECS[refused.code].retry_useless

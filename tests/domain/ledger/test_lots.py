"""When a lot may be spent, on what, and before which others."""

from itertools import permutations
from uuid import UUID

import pytest
from hypothesis import given as for_all
from hypothesis import strategies as st

from domain.ledger import credit, wallet
from domain.ledger.credit import LotConditions
from domain.ledger.lots import LotTerms
from domain.ledger.wallet import Wallet
from domain.refusal import BadField
from tests.domain.ledger.facts import ACCOUNT, NOW, OLD, WALLET_SPEC, granted, lot, lot_expired


def terms(**changes: object) -> LotTerms:
    plain: dict[str, object] = {
        "source": "paid",
        "priority": 50,
        "effective_us": NOW,
        "expires_us": None,
        "granted_us": NOW,
        "aliases": (),
    }
    return LotTerms(**(plain | changes))  # type: ignore[arg-type]  # the fields of a plain lot, some changed


IN_ORDER = (
    terms(priority=10, granted_us=NOW + 9),
    terms(expires_us=NOW + 5, granted_us=NOW + 9),
    terms(expires_us=NOW + 6),
    terms(source="promo", effective_us=NOW + 8, granted_us=NOW + 9),
    terms(source="goodwill", effective_us=NOW + 9, granted_us=NOW + 9),
    terms(effective_us=NOW - 1, granted_us=NOW + 9),
    terms(source="migrated", granted_us=NOW - 1),
    terms(),
    terms(priority=60, expires_us=NOW + 1),
)


def test_the_order_of_spending() -> None:
    """Priority, then what is lost first, then what was given for nothing, then the oldest."""
    for pair in permutations(range(len(IN_ORDER)), 2):
        first, second = (IN_ORDER[one].order(UUID(int=1)) for one in pair)
        assert (first < second) == (pair[0] < pair[1])


def test_lots_that_are_alike_are_told_apart_by_their_ids() -> None:
    """The order is total: every process finds the same one."""
    assert terms().order(UUID(int=1)) < terms().order(UUID(int=2))


def test_a_lot_is_open_from_its_beginning_to_its_end() -> None:
    """The moment of expiry is the first in which it is over."""
    one = terms(effective_us=NOW + 10, expires_us=NOW + 20)
    assert [one.is_open(NOW + at) for at in (9, 10, 19, 20)] == [False, True, True, False]
    assert [one.has_expired(NOW + at) for at in (19, 20)] == [False, True]


def test_a_lot_without_a_beginning_has_begun_on_every_clock() -> None:
    """The clock of another process may be behind that of the one which granted it."""
    assert terms().is_open(NOW - 1_000_000)


def test_a_lot_serves_the_models_that_it_names() -> None:
    """All of them if it names none; whoever asks for no model in particular may ask for any."""
    assert terms().serves("big", NOW)
    scoped = terms(aliases=("big", "small"))
    assert [scoped.serves(alias, NOW) for alias in ("big", "small", "other", None)] == [
        True,
        True,
        False,
        True,
    ]
    assert not terms(aliases=("big",), expires_us=NOW).serves("big", NOW)


# --- granting


def grant(conditions: LotConditions, state: Wallet | None = None) -> list[object]:
    return list(
        credit.grant_credit(
            state or Wallet(),
            account_id=ACCOUNT,
            lot_id=OLD,
            amount_nano=100,
            source="promo",
            reason="spring",
            granted_by="system",
            now_us=NOW,
            conditions=conditions,
        )
    )


def test_conditions_stand_on_the_grant() -> None:
    """What is not said is not stored: a plain lot looks as it did before there were conditions."""
    said = LotConditions(priority=7, effective_us=NOW + 1, expires_us=NOW + 2, aliases=("big",))
    assert grant(said) == [
        lot(
            100,
            source="promo",
            reason="spring",
            priority=7,
            effective_us=NOW + 1,
            expires_us=NOW + 2,
            aliases=("big",),
        )
    ]
    assert grant(LotConditions()) == [lot(100, source="promo", reason="spring")]


@pytest.mark.parametrize(
    ("field", "conditions"),
    [
        ("priority", LotConditions(priority=-1)),
        ("priority", LotConditions(priority=101)),
        ("effective_us", LotConditions(effective_us=-1)),
        ("expires_us", LotConditions(expires_us=NOW)),
        ("expires_us", LotConditions(effective_us=NOW + 9, expires_us=NOW + 9)),
        ("aliases", LotConditions(aliases=("",))),
        ("aliases", LotConditions(aliases=("m",) * 101)),
    ],
)
def test_conditions_that_no_lot_can_have(field: str, conditions: LotConditions) -> None:
    """A lot that could never be spent is a mistake of whoever grants it."""
    with pytest.raises(BadField) as refused:
        grant(conditions)
    assert refused.value.field == field


@for_all(st.permutations(range(len(IN_ORDER))))
def test_a_wallet_keeps_its_lots_in_the_order_of_spending(order: list[int]) -> None:
    """In whatever order they were granted."""
    folded = Wallet()
    for number in order:
        one = IN_ORDER[number]
        granted = lot(
            1,
            UUID(int=number + 1),
            source=one.source,
            priority=one.priority,
            effective_us=one.effective_us,
            **({} if one.expires_us is None else {"expires_us": one.expires_us}),
        )
        wallet.evolve(folded, granted)
    key = {lot_id: folded.terms[lot_id].order(lot_id) for lot_id in folded.lots}
    assert list(folded.lots) == sorted(folded.lots, key=lambda lot_id: key[lot_id])


# --- expiry


def test_an_expired_lot_is_taken_once() -> None:
    """What no lease has of it is gone, and the balance with it."""
    facts = (lot(100, expires_us=NOW + 5),)
    given = WALLET_SPEC.given(*facts)
    given.when(lambda one: credit.expire_lots(one, account_id=ACCOUNT, now_us=NOW + 4)).then_nothing()
    given.when(lambda one: credit.expire_lots(one, account_id=ACCOUNT, now_us=NOW + 5)).then(
        lot_expired(100, at_us=NOW + 5)
    )
    gone = WALLET_SPEC.fold(*facts, lot_expired(100, at_us=NOW + 5))
    assert (gone.available_nano, gone.posted_nano, gone.withdrawn_nano) == (0, 0, 100)
    assert credit.expire_lots(gone, account_id=ACCOUNT, now_us=NOW + 9) == []


def test_a_lot_that_is_lent_out_ends_too() -> None:
    """So that it ends on every clock, and nobody has to look at it again."""
    facts = (lot(100, expires_us=NOW + 5), granted((OLD, 100)))
    given = WALLET_SPEC.given(*facts)
    given.when(lambda one: credit.expire_lots(one, account_id=ACCOUNT, now_us=NOW + 5)).then(
        lot_expired(0, at_us=NOW + 5)
    )
    over = WALLET_SPEC.fold(*facts, lot_expired(0, at_us=NOW + 5))
    assert over.is_over(OLD, NOW)
    assert credit.expire_lots(over, account_id=ACCOUNT, now_us=NOW + 9) == []


def test_a_lot_that_never_expires_is_never_taken() -> None:
    """Whatever its models are."""
    given = WALLET_SPEC.given(lot(100, aliases=("big",)))
    given.when(lambda one: credit.expire_lots(one, account_id=ACCOUNT, now_us=2**62)).then_nothing()

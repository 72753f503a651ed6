"""P19 in numbers: lines add to rates, rates to totals, and credit notes to no more than their invoice."""

from collections import Counter
from fractions import Fraction
from uuid import UUID

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.invoicing.document import Document, InvoiceCredited, InvoiceIssued, evolve
from domain.invoicing.parties import Seller
from domain.invoicing.totals import (
    LINES_MAX,
    CreditAboveInvoice,
    Sold,
    left_of,
    part_of,
    require_left,
    totals_of,
)
from domain.privacy import Sealed
from domain.refusal import BadField
from domain.rounding import PPM, split, tax_in, tax_on

AMOUNTS = st.integers(1, 10**10)
RATES = st.sampled_from([0, 50_000, 77_000, 80_000, 100_000, 190_000, 255_000, PPM])
SOLD = st.lists(st.tuples(AMOUNTS, RATES), min_size=1, max_size=12)
NOBODY = UUID(int=0)


def sold(*pairs: tuple[int, int]) -> list[Sold]:
    return [Sold(description="x", amount_minor=amount, rate_ppm=rate) for amount, rate in pairs]


def invoice(pairs: list[tuple[int, int]], *, tax_included: bool = True) -> Document:
    lines, rates = totals_of(sold(*pairs), ["S"] * len(pairs), tax_included=tax_included)
    net, tax = sum(one.net_minor for one in rates), sum(one.tax_minor for one in rates)
    issued = InvoiceIssued(
        document_id=NOBODY,
        series_id=NOBODY,
        number=1,
        number_text="1",
        seller_id=NOBODY,
        seller=Seller(legal_name="x", address=("x",), country="DE", zone="UTC"),
        account_id=NOBODY,
        subject_id=NOBODY,
        pii=Sealed(key_id=NOBODY, ciphertext=b""),
        buyer_country="DE",
        vat=None,
        locale="en",
        issued_on="2026-11-29",
        supplied_on="2026-11-29",
        currency="EUR",
        exponent=2,
        lines=lines,
        rates=rates,
        net_minor=net,
        tax_minor=tax,
        total_minor=net + tax,
        fx=None,
        notices=(),
        layout=1,
        order_id=None,
        payment=None,
        occurred_us=1,
        actor="system",
    )
    return evolve(None, issued)


@given(SOLD, st.booleans())
def test_lines_add_to_rates_and_rates_are_rounded_once(
    pairs: list[tuple[int, int]], tax_included: bool
) -> None:
    """Tax is within half a minor unit of what the rate's whole sum says, however many lines it has."""
    lines, rates = totals_of(sold(*pairs), ["S"] * len(pairs), tax_included=tax_included)
    assert len(rates) == len({rate for _, rate in pairs})
    for rate in rates:
        whole = sum(amount for amount, ppm in pairs if ppm == rate.rate_ppm)
        assert sum(line.net_minor for line in lines if line.rate_ppm == rate.rate_ppm) == rate.net_minor
        exact = Fraction(whole * rate.rate_ppm, PPM + rate.rate_ppm if tax_included else PPM)
        assert abs(rate.tax_minor - exact) <= Fraction(1, 2)
        assert rate.net_minor == whole - (rate.tax_minor if tax_included else 0)


@given(SOLD, st.lists(AMOUNTS, max_size=8))
def test_parts_of_an_invoice_are_never_more_than_it_and_all_of_it_at_the_end(
    pairs: list[tuple[int, int]], amounts: list[int]
) -> None:
    """Whatever was taken back before, and of each rate by itself."""
    whole = invoice(pairs)
    for amount in [*amounts, None]:
        left = sum(one.net_minor + one.tax_minor for one in left_of(whole))
        if not left or (amount is not None and amount > left):
            with pytest.raises(CreditAboveInvoice) as refused:
                part_of(whole, amount)
            assert refused.value.left_minor == left
            continue
        part = part_of(whole, amount)
        require_left(whole, part)
        assert sum(one.net_minor + one.tax_minor for one in part) == (left if amount is None else amount)
        credited = InvoiceCredited(
            document_id=NOBODY, credit_note_id=NOBODY, rates=part, occurred_us=1, actor="system"
        )
        whole = evolve(whole, credited)
        assert all(one.net_minor >= 0 and one.tax_minor >= 0 for one in left_of(whole))
    assert not any(one.net_minor or one.tax_minor for one in left_of(whole))


@given(st.integers(0, 10**12), st.lists(st.integers(0, 10**9), min_size=1, max_size=20).filter(any))
def test_parts_add_to_the_whole(total: int, weights: list[int]) -> None:
    """Each within one unit of its exact share."""
    parts = split(total, weights)
    assert sum(parts) == total
    for part, weight in zip(parts, weights, strict=True):
        assert abs(part - Fraction(total * weight, sum(weights))) < 1


@given(
    st.integers(0, 10**12),
    st.lists(st.integers(0, 9), min_size=1, max_size=12)
    .filter(any)
    .flatmap(lambda weights: st.tuples(st.just(weights), st.permutations(range(len(weights))))),
)
def test_the_order_of_parts_decides_ties_alone(total: int, drawn: tuple[list[int], list[int]]) -> None:
    """P13: in another order each part is the same, but for who gets the last unit of those with equally large remainders."""
    weights, order = drawn
    remainders = [total * weight % sum(weights) for weight in weights]
    parts, mixed = split(total, weights), split(total, [weights[place] for place in order])
    one: Counter[int] = Counter()
    other: Counter[int] = Counter()
    for place, part in enumerate(parts):
        one[remainders[place]] += part
    for place, part in zip(order, mixed, strict=True):
        other[remainders[place]] += part
        assert abs(part - parts[place]) <= (remainders.count(remainders[place]) > 1)
    assert one == other


def test_halves_go_to_the_even() -> None:
    """As everywhere in the product."""
    assert [tax_on(amount, 100_000) for amount in (5, 15, 25)] == [0, 2, 2]
    assert tax_in(11_900, 190_000) == 1900


def test_a_rate_that_the_invoice_has_not_is_not_credited() -> None:
    """Nor more of the tax than it has, even if the sum would fit."""
    whole = invoice([(11_900, 190_000)])
    (rate,) = whole.issued.rates
    for wrong in ({"rate_ppm": 70_000}, {"tax_minor": 1901, "net_minor": 1}, {"net_minor": 10_001}):
        with pytest.raises(CreditAboveInvoice):
            require_left(whole, [msgspec.structs.replace(rate, **wrong)])


@pytest.mark.parametrize(
    "pairs",
    [[], [(1, 0)] * (LINES_MAX + 1), [(0, 0)], [(-1, 0)], [(10**13 + 1, 0)], [(1, -1)], [(1, PPM + 1)]],
)
def test_lines_that_cannot_be_meant_are_refused(pairs: list[tuple[int, int]]) -> None:
    """None, too many, amounts and rates beyond reason."""
    with pytest.raises(BadField):
        totals_of(sold(*pairs), ["S"] * len(pairs), tax_included=True)

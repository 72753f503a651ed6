"""Arithmetic of money: whole minor units, rounded half to even; parts add to their whole. For orders and documents alike."""

from collections.abc import Sequence
from typing import Final

PPM: Final = 1_000_000


def divide_half_even(dividend: int, divisor: int) -> int:
    """The nearest integer to the quotient of two that are not negative; of two as near, the even one."""
    whole, rest = divmod(dividend, divisor)
    return whole + (2 * rest > divisor or (2 * rest == divisor and whole % 2))


def tax_on(net_minor: int, rate_ppm: int) -> int:
    """The tax that comes on top."""
    return divide_half_even(net_minor * rate_ppm, PPM)


def tax_in(gross_minor: int, rate_ppm: int) -> int:
    """The tax that is in an amount already."""
    return divide_half_even(gross_minor * rate_ppm, PPM + rate_ppm)


def split(total: int, weights: Sequence[int]) -> list[int]:
    """Parts in proportion to the weights: largest remainders first, of two as large the earlier one.

    The weights are not negative and not all zero.
    """
    whole = sum(weights)
    parts = [total * weight // whole for weight in weights]
    rests = sorted(range(len(weights)), key=lambda place: (-(total * weights[place] % whole), place))
    for place in rests[: total - sum(parts)]:
        parts[place] += 1
    return parts

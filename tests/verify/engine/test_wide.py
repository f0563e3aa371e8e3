"""The superaccumulator: exact for any doubles in any order."""

from __future__ import annotations

import math
import random
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asymptopia.verify.engine.exact import DIGITS, SUBNORMAL, Totals
from asymptopia.verify.engine.wide import accumulate_wide, add_exactly


def exact_sum(values: list[float]) -> Fraction:
    acc = [0] * DIGITS
    for value in values:
        add_exactly(acc, 0, value)
    return Fraction(joined(acc)) * Fraction(2) ** SUBNORMAL


def joined(digits: list[int]) -> int:
    return Totals.of([*digits, *[0] * (3 * DIGITS), 0, 0], 1, wide=True).sums[0][0]


def test_known_answer() -> None:
    values = [1e308, 1.0, -1e308, 1e-300, -1.0]
    for seed in range(20):
        order = values.copy()
        random.Random(seed).shuffle(order)
        assert float(exact_sum(order)) == 1e-300


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), max_size=60))
def test_equals_rational_arithmetic(values: list[float]) -> None:
    assert exact_sum(values) == sum(map(Fraction, values))


@given(st.lists(st.floats(-1e300, 1e300), min_size=1, max_size=60))
def test_rounds_as_fsum(values: list[float]) -> None:
    assert float(exact_sum(values)) == math.fsum(values)


@pytest.mark.parametrize("value", [5e-324, -5e-324, 2.2250738585072014e-308, 1.7976931348623157e308, 0.0, -0.0, 1 / 3])
def test_extremes(value: float) -> None:
    assert exact_sum([value] * 7) == 7 * Fraction(value)
    assert exact_sum([value, -value]) == 0


def test_powers_and_what_is_left_out() -> None:
    acc = [0] * (8 * DIGITS + 2)
    x = [3.0, 1.0, 2.0, math.inf, 1e100, 0.0, 0.5, -1.0]
    accumulate_wide(x, [1.0, -1.0], acc, 4, 2)
    assert acc[-2:] == [1, 1]
    for s, values in ((0, [2.0, -0.5]), (1, [2.0, 0.0])):
        for power in range(1, 5):
            at = 4 * DIGITS * s + (power - 1) * DIGITS
            total = Fraction(joined(acc[at : at + DIGITS])) * Fraction(2) ** SUBNORMAL
            assert total == sum(Fraction(value) ** power for value in values)

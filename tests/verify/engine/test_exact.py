"""Exact statistics: integer totals, any order, against exact rational arithmetic."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from asymptopia.verify.engine.exact import POWERS, Totals, Unbounded, Window, accumulator, scale_array


def deposit(values: list[float], window: Window) -> Totals:
    """Split each power into two limbs exactly, by rational arithmetic: the meaning of the layout, not its code."""
    acc = [0] * (2 * POWERS + 2)
    for value in values:
        if not math.isfinite(value):
            acc[-2] += 1
            continue
        d = value - window.pivot
        if abs(d) > 2.0**window.exponent:
            acc[-1] += 1
            continue
        for power in range(1, POWERS + 1):
            y = Fraction(d) ** power
            head_unit = Fraction(2) ** (window.unit(power) + 42)
            head = round(y / head_unit)
            acc[2 * (power - 1)] += head
            acc[2 * (power - 1) + 1] += round((y - head * head_unit) / Fraction(2) ** window.unit(power))
    return Totals.of(acc, len(values))


values = st.lists(st.floats(-100, 100), min_size=2, max_size=40)


@given(values, st.integers(0, 40))
def test_totals_do_not_depend_on_the_split(sample: list[float], cut: int) -> None:
    window = Window.covering(0.5, 200.0)
    whole = deposit(sample, window)
    parts = deposit(sample[:cut], window) + deposit(sample[cut:], window)
    swapped = deposit(sample[cut:], window) + deposit(sample[:cut], window)
    assert whole == parts == swapped
    assert whole.digest() == parts.digest() == swapped.digest()


@given(st.lists(st.integers(-1000, 1000), min_size=3, max_size=30))
def test_moments_equal_exact_rational_moments(sample: list[int]) -> None:
    window = Window.covering(3.0, 2000.0)
    moments = deposit([float(v) for v in sample], window).moments(0, window)
    n = len(sample)
    mean = Fraction(sum(sample), n)
    centred = [[(v - mean) ** k for v in sample] for k in (2, 3, 4)]
    m2, m3, m4 = (sum(row) / n for row in centred)
    assert moments.mean == float(mean)
    assert moments.variance == pytest.approx(float(m2 * n / (n - 1)), rel=1e-12)
    if m2 > 0:
        assert moments.skewness == pytest.approx(float(m3) / float(m2) ** 1.5, rel=1e-12, abs=1e-12)
        assert moments.kurtosis == pytest.approx(float(m4 / m2**2) - 3, rel=1e-12, abs=1e-12)


def test_no_cancellation_far_from_the_pivot_of_a_tight_sample() -> None:
    rng = np.random.default_rng(3)
    sample = (1e6 + 1e-3 * rng.standard_normal(500)).tolist()
    window = Window.covering(1e6, 1.0)
    moments = deposit(sample, window).moments(0, window)
    exact = [Fraction(v) for v in sample]
    mean = sum(exact) / len(exact)
    variance = sum((v - mean) ** 2 for v in exact) / (len(exact) - 1)
    assert moments.variance == pytest.approx(float(variance), rel=1e-12)
    # the textbook form with float64 sums has no correct digit here
    naive = np.mean(np.square(sample)) - np.mean(sample) ** 2
    assert abs(naive / float(variance) - 1) > 0.1


def test_a_constant_statistic_has_variance_zero() -> None:
    window = Window.covering(0.0, 1.0)
    moments = deposit([0.3] * 50, window).moments(0, window)
    assert moments.variance == 0.0
    assert moments.skewness == 0.0


def test_left_out_replicates_are_counted_not_averaged() -> None:
    window = Window.covering(0.0, 1.0)
    totals = deposit([0.5, math.nan, 0.25, math.inf, 3.0], window)
    assert (totals.count, totals.nonfinite, totals.outside, totals.used) == (5, 2, 1, 2)
    assert totals.moments(0, window).mean == 0.375


def test_no_replicates_have_no_mean() -> None:
    assert math.isnan(Totals.empty(1).moments(0, Window.covering(0.0, 1.0)).mean)


def test_digest_sees_every_integer() -> None:
    window = Window.covering(0.0, 8.0)
    base = deposit([1.0, 2.0, 3.0], window)
    assert base.digest() != deposit([1.0, 2.0, 3.0000000000000004], window).digest()
    assert base.digest() != (base + Totals(count=1, nonfinite=1, outside=0, sums=((0,) * 4,))).digest()


@pytest.mark.parametrize("bound", [1e-30, 0.7, 1.0, 1024.0, 3.3e20])
def test_window_holds_the_bound_and_scales_are_powers_of_two(bound: float) -> None:
    window = Window.covering(2.5, bound)
    scales = scale_array([window])
    assert scales.shape == (14,)
    assert scales[0] == 2.5
    assert bound <= scales[1] <= 2 * bound
    assert all(math.frexp(value)[0] == 0.5 for value in scales[1:])
    # the largest power in the window must leave its rounded limb below 2**31, and the second below 2**42
    for power in range(1, 5):
        up, down, fine = scales[2 + 3 * (power - 1) : 5 + 3 * (power - 1)]
        assert scales[1] ** power * up <= 2.0**31
        assert up * down == 1.0
        assert down / 2 * fine <= 2.0**41


@pytest.mark.parametrize(("pivot", "bound"), [(math.nan, 1.0), (0.0, 0.0), (0.0, math.inf), (0.0, 1e300), (0.0, -1.0)])
def test_impossible_windows_are_refused(pivot: float, bound: float) -> None:
    with pytest.raises(ValueError, match="bound is"):
        Window.covering(pivot, bound)


def test_accumulator_has_room_for_every_limb() -> None:
    window = Window.covering(0.0, 1.0)
    assert accumulator([window] * 3).shape == (26,)
    assert accumulator([window]).dtype == np.int64
    assert accumulator([Unbounded(pivot=0.0)] * 2).shape == (8 * 67 + 2,)

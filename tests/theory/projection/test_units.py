"""Units of the data: results do not depend on them, far means and collinear columns cost no digits, errors say what."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from asymptopia.theory.projection.bootstrap import bootstrap_criterion
from asymptopia.theory.projection.criterion import pn_criterion
from asymptopia.theory.projection.errors import MLEDoesNotExistError
from asymptopia.theory.projection.expansion import kl_risk_expansion
from asymptopia.theory.projection.families import (
    Beta,
    Dirichlet,
    Exponential,
    ExponentialFamily,
    FiniteSupport,
    Gamma,
    InverseGaussian,
    Ising,
    LogLinear,
    Multinomial,
    MultivariateNormal,
    NegativeBinomial,
    Normal,
    Poisson,
)
from asymptopia.theory.projection.information import takeuchi_penalty
from asymptopia.theory.projection.plugin import read
from asymptopia.theory.projection.status import ProjectionStatus

RNG = np.random.default_rng(3)
ROWS = RNG.standard_t(9, size=(120, 3)) @ np.array([[1.0, 0.3, 0.0], [0.0, 1.0, 0.5], [0.0, 0.0, 1.0]])
POSITIVE = np.abs(ROWS[:, 0]) + 0.05
FAMILIES = [
    (Normal(), ROWS[:, 0]),
    (MultivariateNormal(3), ROWS),
    (MultivariateNormal(3, known_mean=True), ROWS),
    (Exponential(), POSITIVE),
    (Gamma(), POSITIVE),
    (Gamma(2.5), POSITIVE),
    (InverseGaussian(), POSITIVE),
]


def numbers(x: np.ndarray, family: ExponentialFamily) -> np.ndarray:
    """Return everything that must not depend on the units."""
    found, series = pn_criterion(x, family), kl_risk_expansion(family, truth=x)
    penalty = takeuchi_penalty(x, family).penalty
    return np.array([found.risk, found.second, found.c2, series.c1, series.c2, penalty])


@pytest.mark.parametrize(("family", "x"), FAMILIES)
@pytest.mark.parametrize("unit", [2.0**-200, 2.0**180, 1e-9, 1e6])
def test_scales(family: ExponentialFamily, x: np.ndarray, unit: float) -> None:
    # fourth cumulants in the smallest of these units are no floats
    np.testing.assert_allclose(numbers(x * unit, family), numbers(x, family), rtol=1e-12)


@pytest.mark.parametrize(("family", "x"), FAMILIES)
def test_powers_of_two_change_no_bit(family: ExponentialFamily, x: np.ndarray) -> None:
    for unit in (2.0**-200, 2.0**180):
        found, wanted = pn_criterion(x * unit, family), pn_criterion(x, family)
        assert (found.risk, found.required_n, found.contractions) == (
            wanted.risk,
            wanted.required_n,
            wanted.contractions,
        )


@pytest.mark.parametrize(("family", "x"), FAMILIES)
def test_estimates_lead_back_to_the_units_given(family: ExponentialFamily, x: np.ndarray) -> None:
    wanted = family.mle(family.statistic(x).mean(axis=0))
    np.testing.assert_allclose(pn_criterion(x, family).theta_star, wanted, rtol=1e-11)
    np.testing.assert_allclose(kl_risk_expansion(family, truth=x).theta_star, wanted, rtol=1e-11)
    assert not pn_criterion(x, family).theta_star.flags.writeable


@pytest.mark.parametrize("shift", [1e3, 1e6, 1e8])
def test_means_far_from_zero(shift: float) -> None:
    # moments of (x, x^2) would lose (shift / sd)^2: all digits at 1e8
    tolerance = 1e-13 * shift
    moved = [(Normal(), ROWS[:, 0]), (MultivariateNormal(3), ROWS)]
    for family, x in moved:
        y = x + shift
        np.testing.assert_allclose(numbers(y, family), numbers(y - shift, family), rtol=tolerance)
        usual = family.usual(pn_criterion(y, family).theta_star)
        centre = usual["mu"] if "mu" in usual else usual["mean"]
        np.testing.assert_allclose(centre, y.mean(axis=0), rtol=1e-13)
    tiny = 1e-3 * ROWS + 1e8
    # what is left is the rounding of the data themselves
    assert pn_criterion(tiny, MultivariateNormal(3)).risk == pytest.approx(
        pn_criterion(tiny - 1e8, MultivariateNormal(3)).risk, rel=1e-13
    )


def test_collinear_columns() -> None:
    y = ROWS.copy()
    y[:, 2] = y[:, 0] - 3.0 * y[:, 1] + 1e-7 * ROWS[:, 2]
    np.testing.assert_allclose(
        numbers(y, MultivariateNormal(3))[:3], numbers(ROWS, MultivariateNormal(3))[:3], rtol=1e-6
    )
    y[:, 2] = y[:, 0] - 3.0 * y[:, 1]
    with pytest.raises(MLEDoesNotExistError, match="singular within rounding"):
        pn_criterion(y, MultivariateNormal(3))


@pytest.mark.parametrize(
    ("family", "value"),
    [
        (Normal(), 0.1),
        (Normal(), -1e8 / 3),
        (MultivariateNormal(2), [0.1, 0.7]),
        (MultivariateNormal(2, known_mean=True), [0.1, 0.7]),
        (Gamma(), 0.1),
        (InverseGaussian(), 0.7),
        (Beta(), 0.1),
        (Beta(), 1.0 / 3.0),
        (Dirichlet(3), [0.1, 0.7, 0.2]),
    ],
)
@pytest.mark.parametrize("n", [3, 7, 53])
def test_data_of_one_value_have_no_estimate(family: ExponentialFamily, value: Any, n: int) -> None:
    # not "the statistic is not minimal": that would be about the family
    with pytest.raises(MLEDoesNotExistError, match="estimate"):
        pn_criterion(np.repeat(np.array([value]), n, axis=0), family)


@pytest.mark.parametrize(
    ("family", "value"), [(Poisson(), 2), (NegativeBinomial(3), 2), (Exponential(), 0.7), (FiniteSupport([0, 1, 5]), 1)]
)
def test_data_of_one_value_say_nothing(family: ExponentialFamily, value: Any) -> None:
    found = pn_criterion(np.full(47, value), family)
    assert (found.t0, found.risk, found.largest_share) == (0.0, 0.0, 0.0)
    assert (found.passed, found.decided, found.required_n) == (False, False, None)
    assert found.verdict.startswith("No verdict for p = 1 at n = 47: the statistic is the same")
    assert found.status is ProjectionStatus.UNSTABLE_MOMENTS
    assert any("say nothing" in note for note in found.notes)
    assert kl_risk_expansion(family, truth=np.full(47, value)).c1 == 0.0


def test_extreme_data_are_refused_in_words() -> None:
    wide = np.array([1e-200, 1.0, 1e200])
    for call in (lambda: pn_criterion(wide, InverseGaussian()), lambda: kl_risk_expansion(Normal(), truth=wide)):
        with pytest.raises(ValueError, match=r"float|at (most|least)"):
            call()
    with pytest.raises(ValueError, match=r"theta\[0\] is inf; expected a float64 number: give the data in other"):
        pn_criterion(1e-200 * ROWS[:, 0], Normal())
    with pytest.raises(ValueError, match=r"a count: a whole number >= 0, at most 2\*\*53"):
        pn_criterion([1.0, 2.0, 1e300], Poisson())


def test_negative_values_are_named_in_their_own_units() -> None:
    with pytest.raises(ValueError, match=r"x\[1\] is -3.0; expected a number >= 0"):
        pn_criterion([1.0, -3.0, 1000.0], Exponential())


@pytest.mark.parametrize(
    ("family", "x"),
    [
        (Multinomial(4), RNG.integers(0, 4, 200)),
        (Multinomial(4), np.eye(4)[RNG.integers(0, 4, 200)]),
        (Multinomial(4), RNG.integers(0, 4, 200)[:, None]),
        (LogLinear([2, 3]), np.column_stack([RNG.integers(0, 2, 200), RNG.integers(0, 3, 200)])),
        (Ising(3), 2 * RNG.integers(0, 2, (200, 3)) - 1),
        (FiniteSupport([0.0, 1.0, 5.0]), RNG.integers(0, 3, 200)),
        (Poisson(), RNG.poisson(3.0, 200)),
    ],
)
def test_counts_of_distinct_rows(family: ExponentialFamily, x: np.ndarray) -> None:
    sample = read(x, family).sample
    rows = family.statistic(x)
    assert sample.n == 200
    assert sample.observations is not None
    np.testing.assert_array_equal(rows[sample.observations], sample.rows)
    for row, count, first in zip(sample.rows, sample.counts, sample.observations, strict=True):
        same = (rows == row).all(axis=1)
        assert (int(same.sum()), int(np.argmax(same))) == (int(count), int(first))
    found = pn_criterion(x, family)
    row = family.statistic(x[found.largest_row : found.largest_row + 1])[0]
    centred = rows - rows.mean(axis=0)
    own = np.einsum("ni,ij,nj->n", centred, np.linalg.inv(family.cov(found.theta_star)), centred)
    assert own[found.largest_row] == pytest.approx(own.max(), rel=1e-12)
    assert found.largest_share == pytest.approx(own.max() / own.sum(), rel=1e-12)
    assert row.shape == (family.dim,)


def test_flags_are_truth_values() -> None:
    for call in (pn_criterion, takeuchi_penalty, bootstrap_criterion):
        with pytest.raises(TypeError, match="bias_correct is 'no' of type str; expected True or False"):
            call(POSITIVE, Exponential(), bias_correct="no")  # type: ignore[arg-type]

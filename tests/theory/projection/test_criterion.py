"""The p-n criterion: unbiasedness by enumeration, oracle values, required n, limits of validity, refusals."""

from __future__ import annotations

import math
import time
from typing import Any, NamedTuple

import numpy as np
import pytest
from scipy.special import gammaln

from asymptopia.theory.projection.coefficients import smallest_size
from asymptopia.theory.projection.contractions import Contractions
from asymptopia.theory.projection.criterion import pn_criterion
from asymptopia.theory.projection.criterion_result import PNCriterion
from asymptopia.theory.projection.errors import MLEDoesNotExistError, NotMinimalError
from asymptopia.theory.projection.families import (
    Bernoulli,
    Exponential,
    FiniteSupport,
    MultivariateNormal,
    Normal,
    Poisson,
    SampledFamily,
)
from asymptopia.theory.projection.families.loglinear import LogLinear
from asymptopia.theory.projection.plugin import Sample, plug_in, second_coefficient
from asymptopia.theory.projection.status import ProjectionStatus

POINTS, PROBS = np.array([-1.0, 0.0, 2.0]), np.array([0.3, 0.45, 0.25])
T0 = 1.52267573696144725
BIAS = 4.7831
"""Limit of n (E t0_hat - t0) of that truth under the normal model."""


def compositions(n: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the counts of all samples of n with two different points or more, and their probabilities given that."""
    i, j = np.meshgrid(np.arange(n + 1), np.arange(n + 1), indexing="ij")
    kept = (i + j) <= n
    counts = np.stack([i[kept], j[kept], n - i[kept] - j[kept]], axis=1).astype(float)
    counts = counts[counts.max(axis=1) < n]
    logs = gammaln(n + 1) - gammaln(counts + 1).sum(axis=1) + counts @ np.log(PROBS)
    return counts, np.exp(logs) / np.exp(logs).sum()


def normal_divergence(counts: np.ndarray) -> np.ndarray:
    """Return the divergence from the projection on normal laws to each sample's estimate."""
    share = counts / counts.sum(axis=1, keepdims=True)
    mean = share @ POINTS
    variance = share @ POINTS**2 - mean**2
    mu = PROBS @ POINTS
    u = (PROBS @ (POINTS - mu) ** 2) / variance
    return 0.5 * (u - 1 - np.log(u)) + (mean - mu) ** 2 / (2 * variance)


class Enumerated(NamedTuple):
    """All samples of one size: probabilities, divergences, and the three coefficients estimated from each."""

    weights: np.ndarray
    divergence: np.ndarray
    first: np.ndarray
    corrected: np.ndarray
    plain: np.ndarray

    def gap(self, n: int, second: np.ndarray) -> float:
        """Return n**2 times the bias of the estimated risk."""
        return n**2 * float(self.weights @ (self.first / n + second / n**2 - self.divergence))


@pytest.fixture(scope="module")
def enumerated() -> dict[int, Enumerated]:
    rows = np.column_stack([POINTS, POINTS**2])
    found = {}
    for n in (30, 60, 120):
        counts, weights = compositions(n)
        coefficients = np.empty((3, weights.size))
        for at, count in enumerate(counts):
            used = count > 0
            one = plug_in(Normal(), Sample(rows[used], count[used]))
            assert one.contractions is not None
            plain = second_coefficient(one.contractions, bias_correct=False)
            coefficients[:, at] = one.first, one.second, plain
        found[n] = Enumerated(weights, normal_divergence(counts), *coefficients)
    return found


def test_corrected_estimate_is_unbiased_to_third_order(enumerated: dict[int, Enumerated]) -> None:
    scaled = [item.gap(n, item.corrected) for n, item in enumerated.items()]
    # a bias of order n**-3: times n**2 it falls as 1/n, and its extrapolation in 1/n as 1/n**2
    assert abs(scaled[2]) < 0.01
    assert abs(2 * scaled[2] - scaled[1]) < 0.03
    assert abs(2 * scaled[2] - scaled[1]) < abs(2 * scaled[1] - scaled[0]) / 3


def test_plug_in_bias_of_the_first_term(enumerated: dict[int, Enumerated]) -> None:
    bias = [n * (2 * float(item.weights @ item.first) - T0) for n, item in enumerated.items()]
    assert 2 * bias[2] - bias[1] == pytest.approx(BIAS, abs=0.02)
    # with divisor n the bias would be lower by t0, which is not what the second term takes off
    off = [n * (2 * float(item.weights @ item.first) * (n - 1) / n - T0) for n, item in enumerated.items()]
    assert 2 * off[2] - off[1] == pytest.approx(BIAS - T0, abs=0.02)


def test_plug_in_second_term_leaves_half_that_bias(enumerated: dict[int, Enumerated]) -> None:
    scaled = [item.gap(n, item.plain) for n, item in enumerated.items()]
    assert 2 * scaled[2] - scaled[1] == pytest.approx(0.5 * BIAS, abs=0.06)


def test_series_is_unbiased_at_another_size(enumerated: dict[int, Enumerated]) -> None:
    # from n observations to the risk of 2 n: the bias of the first term is still that of n
    best, rough = [], []
    for n in (30, 60):
        small, large = enumerated[n], enumerated[2 * n]
        off = (small.plain - small.corrected) / n
        moved = Enumerated(small.weights, np.array([large.weights @ large.divergence]), small.first - off, *small[3:])
        best.append(moved.gap(2 * n, small.plain))
        rough.append(moved._replace(first=small.first).gap(2 * n, small.corrected))
    assert abs(best[1]) < 0.6 * abs(best[0])
    assert 2 * best[1] - best[0] == pytest.approx(0.0, abs=0.2)
    # the terms of n leave half of its bias there
    assert 2 * rough[1] - rough[0] == pytest.approx(0.5 * BIAS, abs=0.2)


def by_tensors(x: np.ndarray) -> tuple[float, float, float, float, float]:
    """Return t0, t1, t21, t22, t31 of the normal model, from z and (z**2 - 1)/sqrt 2 of standardised data."""
    n, r2 = x.size, math.sqrt(2)
    z = (x - x.mean()) / x.std()
    y = np.column_stack([z, (z * z - 1) / r2])
    y -= y.mean(axis=0)
    spread = y.T @ y / (n - 1)
    kappa = np.einsum("ai,aj,ak->ijk", y, y, y) * n / ((n - 1) * (n - 2))
    third = np.zeros((2, 2, 2))
    third[0, 0, 1] = third[0, 1, 0] = third[1, 0, 0] = r2
    third[1, 1, 1] = 2 * r2
    fourth = np.zeros((2, 2, 2, 2))
    # cumulants of (z, z**2): k(z, z, z**2, z**2) = 8, k(z**2 four times) = 48
    for at in np.ndindex(2, 2, 2, 2):
        fourth[at] = {2: 4.0, 4: 12.0}.get(sum(at), 0.0)
    v = np.einsum("iku,ik->u", third, spread)
    return (
        float(np.trace(spread)),
        float(np.vdot(third, kappa)),
        float(v @ v),
        float(np.einsum("iku,mou,im,ko->", third, third, spread, spread)),
        float(np.einsum("ikmo,ik,mo->", fourth, spread, spread)),
    )


def test_against_tensors() -> None:
    x = np.random.default_rng(5).gamma(6.0, 2.5, size=700) + 3.0
    t0, t1, t21, t22, t31 = by_tensors(x)
    found = pn_criterion(x, Normal())
    assert found.contractions is not None
    np.testing.assert_allclose(found.contractions[:5], (t0, t1, t21, t22, t31), rtol=1e-9)
    assert found.first == pytest.approx(t0 / 1400, rel=1e-11)
    a4 = t21 + 2 * t22 - t31
    assert found.second == pytest.approx((t1 / 6 + a4 / 8) / 490_000, rel=1e-9)
    assert found.c1 == pytest.approx(t0 / 2 + (t1 / 2 - a4 / 4) / 700, rel=1e-9)
    assert found.c2 == pytest.approx(-t1 / 3 + 0.375 * a4, rel=1e-9)
    assert found.risk_at(700) == pytest.approx(found.risk, rel=1e-12)
    plain = pn_criterion(x, Normal(), bias_correct=False)
    assert (plain.c1, plain.c2) == (pytest.approx(t0 / 2, rel=1e-11), found.c2)
    assert plain.second == pytest.approx(found.c2 / 490_000, rel=1e-9)
    assert (found.risk, found.t0) == (found.first + found.second, pytest.approx(t0, rel=1e-11))
    assert found.ratio == pytest.approx(t0 / 2, rel=1e-11)
    assert found.naive == 2 / 1400
    assert found.n == 700
    assert (found.mc_error, found.second_error, found.bootstrap) == (0.0, None, None)
    assert found.theta_star == pytest.approx(np.array([x.mean(), -0.5]) / x.var(), rel=1e-12)


def test_well_specified_limit() -> None:
    # quantiles of the exponential law: t0 -> 1 and c2 -> 11/12 - (A3 + A4/2)/2, that is 4/6 + (4 + 8 - 6)/8
    x = -np.log1p(-(np.arange(200_000) + 0.5) / 200_000)
    found = pn_criterion(x, Exponential())
    assert found.t0 == pytest.approx(1.0, abs=1e-3)
    assert found.second * 200_000**2 == pytest.approx(4 / 6 + 6 / 8, abs=0.01)
    assert found.c2 == pytest.approx(11 / 12, abs=0.01)
    assert found.status is ProjectionStatus.OK
    assert found.passed
    assert found.notes == ()
    assert "is enough for p = 1" in found.verdict


def test_first_order() -> None:
    x = np.random.default_rng(1).exponential(size=50)
    found = pn_criterion(x, Exponential(), order=1)
    assert found.second == 0.0
    assert found.contractions is None
    assert found.t0 == pytest.approx(x.var(ddof=1) / x.mean() ** 2, rel=1e-12)
    assert found.required_n == math.ceil(found.c1 / found.threshold)
    assert not any(line.strip().startswith("second") for line in found.summary().splitlines())


@pytest.mark.parametrize(
    ("bound", "value"),
    [("sharp", 0.0200446831579529501), ("pinsker", 0.02), ("local", 4 * math.pi * 0.0025)],
)
def test_thresholds(bound: str, value: float) -> None:
    x = np.random.default_rng(2).exponential(size=100)
    assert pn_criterion(x, Exponential(), bound=bound).threshold == pytest.approx(value, rel=1e-13)


def test_required_size_of_normal_laws() -> None:
    # d = 7: the values of first and second order, at Pinsker's and the sharp threshold
    c1, c2 = 17.5, 7 * (10 * 49 + 51 * 7 + 61) / 24
    assert smallest_size((c1, 0.0), 0.02) == 875
    assert smallest_size((c1, c2), 0.02) == 890
    assert smallest_size((c1, c2), 0.0200446831579529501) == 888


def test_required_size_by_search() -> None:
    rng = np.random.default_rng(4)
    for _ in range(300):
        c1, bar = rng.uniform(0.1, 20), rng.uniform(0.005, 0.5)
        c2 = rng.uniform(-0.24, 2.0) * c1**2 / bar
        # below c1 / (2 C) a negative c2 may bring the series under the threshold again, which means nothing
        n = np.arange(max(1, math.ceil(c1 / (2 * bar))), int(20 * c1 / bar) + 20)
        above = np.flatnonzero(c1 / n + c2 / n**2 > bar)
        assert smallest_size((c1, c2), bar) == (n[0] if above.size == 0 else n[above[-1]] + 1)
    # whole roots come out on the right side
    for n in range(1, 400):
        assert smallest_size((0.02 * n, 0.0), 0.02) in {n, n + 1}
        assert smallest_size((0.25 * n, 0.0), 0.25) == n
    assert smallest_size((1.0, -1.0 / (4 * 0.02) - 1e-9), 0.02) is None
    assert smallest_size((1.0, -1.0 / (4 * 0.02) + 1e-9), 0.02) == 26
    assert smallest_size((1.0, -12.4), 0.02) == 28


class Fixed(Poisson):
    """Poisson laws with contractions put in, to reach what data seldom do."""

    __slots__ = ()
    put = Contractions(1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0)

    def contractions(self, theta: Any, *, truth_cov: Any = None, truth_third: Any = None) -> Contractions:
        return self.put


def put(**values: float) -> Fixed:
    kind = type("Put", (Fixed,), {"__slots__": (), "put": Fixed.put._replace(**values)})
    found: Fixed = kind()
    return found


def test_status_no_root() -> None:
    x = np.random.default_rng(0).poisson(50.0, size=400)
    # A4 = -100: c1 = 1/2 + 25/400, c2 = -37.5 < -c1**2 / (4 * 0.02)
    found = pn_criterion(x, put(t31=100.0))
    assert found.status is ProjectionStatus.NO_ROOT
    assert found.required_n is None
    assert (found.c1, found.c2) == (0.5625, -37.5)
    assert found.second == pytest.approx(-12.5 / 160_000)
    assert "none by this series" in found.summary()
    root = (2.0625 + math.sqrt(2.0625**2 - 150 * found.threshold)) / (2 * found.threshold)
    assert pn_criterion(x, put(t0=4.0, t31=100.0)).required_n == math.ceil(root)


def test_status_negative_risk_is_no_pass() -> None:
    x = np.random.default_rng(0).poisson(50.0, size=400)
    found = pn_criterion(x, put(t1=-6.0 * 400.0))
    assert found.risk == pytest.approx(0.5 / 400 - 1 / 400)
    assert not found.passed
    assert found.verdict.startswith("No verdict")
    assert ProjectionStatus.NEGATIVE_RISK.message in found.notes


def test_status_small_sample() -> None:
    x = np.random.default_rng(0).poisson(50.0, size=400)
    # A4 = 320: c2 = 120 and c1 = 1/2 - 80/400
    found = pn_criterion(x, put(t21=320.0))
    assert found.status is ProjectionStatus.SMALL_SAMPLE
    assert any("is 100% of the first" in note for note in found.notes)
    assert pn_criterion(x, put(t21=64.0)).status is ProjectionStatus.CONDITIONAL


def test_status_unstable_moments() -> None:
    rng = np.random.default_rng(0)
    few = pn_criterion(rng.standard_normal((12, 4)), MultivariateNormal(4))
    assert few.status is ProjectionStatus.UNSTABLE_MOMENTS
    assert any("at most p = 14" in note for note in few.notes)
    some = pn_criterion(rng.standard_normal((140, 4)), MultivariateNormal(4))
    assert any("at most 10 p = 140" in note for note in some.notes)
    x = rng.standard_normal(5000)
    x[1234] = 60.0
    heavy = pn_criterion(x, Normal())
    assert heavy.status is ProjectionStatus.UNSTABLE_MOMENTS
    assert heavy.largest_row == 1234
    assert any(note.startswith("Row 1234 (the first is 0) carries") for note in heavy.notes)
    z = (x - x.mean()) / x.std()
    own = z**2 + (z * z - 1) ** 2 / 2
    assert heavy.largest_share == pytest.approx(own.max() / own.sum(), rel=1e-9)


def test_status_conditional() -> None:
    x = np.zeros(40)
    x[:3] = 1
    found = pn_criterion(x, Bernoulli(), bootstrap=200, rng=0)
    assert found.bootstrap is not None
    assert found.bootstrap.lost > 0
    assert sum("does not exist in" in note or "have no estimate" in note for note in found.notes) == 1


def test_discrete_families_are_conditional_and_pass_all_the_same() -> None:
    """The status says what risk is meant, as that of the series and of the exact risk does."""
    from asymptopia.theory.projection.exact_risk import kl_risk_exact
    from asymptopia.theory.projection.expansion import kl_risk_expansion

    x = np.random.default_rng(0).integers(0, 2, 4000)
    found = pn_criterion(x, Bernoulli())
    assert found.passed
    assert "is enough for p = 1" in found.verdict
    assert found.notes == (
        "Some samples of 4000 have no estimate under Bernoulli: risk and verdict are those given that it exists.",
    )
    others = kl_risk_expansion(Bernoulli(), [0.3]).status, kl_risk_exact(Bernoulli(), [0.3], 20).status
    assert {found.status, *others} == {ProjectionStatus.CONDITIONAL}
    assert pn_criterion(np.arange(1.0, 200.0), Normal()).status is ProjectionStatus.OK
    constant = FiniteSupport(np.empty((3, 0)))
    for truth in ({"theta": []}, {"truth": {0: 0.3, 1: 0.7}}, {"truth": [0, 1, 1, 2]}):
        series = kl_risk_expansion(constant, **truth)
        assert (series.status, series.c1, series.c2) == (ProjectionStatus.OK, 0.0, 0.0)
    assert not any("no estimate" in note for note in pn_criterion([0, 1, 2, 1], constant).notes)


def test_status_ok_round_trip_and_frame() -> None:
    x = np.random.default_rng(3).poisson(4.0, size=2000)
    found = pn_criterion(x, Poisson(), bootstrap=30, rng=1)
    assert found.status is ProjectionStatus.CONDITIONAL
    back = PNCriterion.from_json(found.to_json())
    assert back == found
    assert back.contractions == found.contractions
    assert not back.theta_star.flags.writeable
    frame = found.to_frame()
    assert frame["risk"][0] == found.risk
    assert frame["status"][0] == "CONDITIONAL"
    assert found.risk_at(found.n) == pytest.approx(found.risk, rel=1e-14)
    np.testing.assert_allclose(
        found.risk_at([10, 20]), [found.c1 / 10 + found.c2 / 100, found.c1 / 20 + found.c2 / 400]
    )
    for bad in (0, -5, 20.5, [10, 0], math.inf):
        with pytest.raises(ValueError, match="n is"):
            found.risk_at(bad)
    with pytest.raises(TypeError, match="n has dtype"):
        found.risk_at("10")
    assert PNCriterion.plotter == "asymptopia.theory.projection.plots:plot_criterion"
    assert "required n" in found._repr_html_()


def test_bootstrap_error_is_reported() -> None:
    x = np.random.default_rng(3).poisson(4.0, size=200)
    found = pn_criterion(x, Poisson(), bootstrap=50, rng=1)
    assert found.bootstrap is not None
    assert found.second_error == found.bootstrap.second_se > 0
    again = pn_criterion(x, Poisson(), bootstrap=50, rng=1)
    assert again == found
    assert "standard error" in found.summary()


def test_equal_rows_of_a_discrete_family_are_one() -> None:
    rng = np.random.default_rng(8)
    x = rng.integers(0, 2, (500, 3))
    found = pn_criterion(x, LogLinear([2, 2, 2], interactions=2))
    assert found.p == 6
    # independent of the order of rows
    assert pn_criterion(x[rng.permutation(500)], LogLinear([2, 2, 2], interactions=2)).risk == pytest.approx(found.risk)
    assert (x[found.largest_row] == x[found.largest_row]).all()


def test_units_do_not_matter() -> None:
    x = np.random.default_rng(9).gamma(5.0, size=(300, 3))
    plain = pn_criterion(x, MultivariateNormal(3))
    moved = pn_criterion(x * [1e-3, 1.0, 50.0] + [1.0, 5.0, -700.0], MultivariateNormal(3))
    assert moved.first == pytest.approx(plain.first, rel=1e-8)
    assert moved.second == pytest.approx(plain.second, rel=1e-6)
    assert moved.largest_row == plain.largest_row


def test_mardia() -> None:
    # t0 of normal laws is (d + Mardia's kurtosis) / 2, here with divisor n - 1 for the spread of the statistic
    x = np.random.default_rng(10).gamma(2.0, size=(250, 3))
    z = x - x.mean(axis=0)
    form = np.einsum("ai,ij,aj->a", z, np.linalg.inv(z.T @ z / 250), z)
    expected = (3 + (form**2).mean()) / 2 * 250 / 249
    # the mean of |y|**2 less the squared mean of y is what the covariance has; y has mean 0 at the estimate
    assert pn_criterion(x, MultivariateNormal(3)).t0 == pytest.approx(expected, rel=1e-9)


def test_speed() -> None:
    x = np.random.default_rng(0).standard_normal((4177, 7))
    family = MultivariateNormal(7)
    pn_criterion(x, family)
    times = []
    for _ in range(5):
        start = time.perf_counter()
        pn_criterion(x, family)
        times.append(time.perf_counter() - start)
    # 10 ms on a quiet machine; other work may hold the threads of the linear algebra up
    assert min(times) < 1.5


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda x: pn_criterion(x, Normal(), alpha=0.5), ValueError, "alpha is 0.5"),
        (lambda x: pn_criterion(x, Normal(), alpha=0.0), ValueError, "alpha is 0.0"),
        (lambda x: pn_criterion(x, Normal(), alpha="a"), TypeError, "alpha"),
        (lambda x: pn_criterion(x, Normal(), order=3), ValueError, "order is 3"),
        (lambda x: pn_criterion(x, Normal(), bound="bh"), ValueError, "bound is 'bh'"),
        (lambda x: pn_criterion(x, Normal(), bootstrap=-1), ValueError, "bootstrap is -1"),
        (lambda x: pn_criterion(x, Normal(), bootstrap=5), ValueError, "bootstrap is 5"),
        (lambda x: pn_criterion(np.where(x > 1, np.nan, x), Normal()), ValueError, "nan"),
        (lambda x: pn_criterion(np.where(x > 1, np.inf, x), Normal()), ValueError, "inf"),
        (lambda x: pn_criterion(x[:2], Normal()), ValueError, "at least 3"),
        (lambda x: pn_criterion(x - 100, Exponential()), ValueError, "x"),
        (lambda x: pn_criterion(0 * x + 1, Normal()), MLEDoesNotExistError, "give data that vary"),
        (lambda x: pn_criterion(x, "mvn"), TypeError, "family is of type str; .* pn_report takes names"),
        (lambda x: pn_criterion(x, Normal), TypeError, "family is the class Normal; expected an instance"),
        (lambda x: pn_criterion(x, None), TypeError, "family is of type NoneType"),
        (lambda x: pn_criterion(0 * x, Poisson()), MLEDoesNotExistError, "no information projection"),
        (
            lambda x: pn_criterion(np.column_stack([x, x]), MultivariateNormal(2)),
            (MLEDoesNotExistError, NotMinimalError),
            ".",
        ),
        (lambda x: pn_criterion(["a"] * 5, Normal()), TypeError, "x"),
    ],
)
def test_refusals(call: Any, error: Any, words: str) -> None:
    x = np.random.default_rng(0).standard_normal(40)
    with pytest.raises(error, match=words):
        call(x)


def test_plug_in_of_the_expansion() -> None:
    from asymptopia.theory.projection.expansion import kl_risk_expansion

    x = np.random.default_rng(12).gamma(3.0, size=(200, 2))
    found = pn_criterion(x, MultivariateNormal(2), bias_correct=False)
    series = kl_risk_expansion(MultivariateNormal(2), truth=x)
    assert (found.c1, found.c2) == (pytest.approx(series.c1, rel=1e-10), pytest.approx(series.c2, rel=1e-9))
    np.testing.assert_allclose(found.theta_star, series.theta_star, rtol=1e-10)
    assert found.required_n == series.required_n(found.threshold)


def test_no_parameter_no_risk() -> None:
    found = pn_criterion([0, 1, 2, 1], FiniteSupport(np.empty((3, 0))))
    assert (found.risk, found.passed, found.required_n) == (0.0, True, 1)
    assert math.isnan(found.ratio)


def poisson_by_draws(draws: int, seed: int = 0, schedule: list[tuple[int, int]] | None = None) -> SampledFamily:
    return SampledFamily(
        lambda x: np.asarray(x, dtype=float)[:, None],
        lambda theta, size, rng: rng.poisson(np.exp(theta[0]), size),
        dim=1,
        draws=draws,
        seed=seed,
        schedule=schedule,
    )


def test_sampled_family() -> None:
    x = np.random.default_rng(13).poisson(3.0, size=500)
    exact = pn_criterion(x, Poisson())
    found = pn_criterion(x, poisson_by_draws(100_000))
    # the variance of the draws has a relative error of sqrt(2.3 / 100000) = 0.5 %
    assert found.t0 == pytest.approx(exact.t0, rel=0.03)
    assert 0.001 < found.mc_error / found.risk < 0.03
    assert abs(found.risk - exact.risk) < 5 * found.mc_error
    assert found.status is ProjectionStatus.OK
    assert "Monte Carlo error" in found.summary()
    assert PNCriterion.from_json(found.to_json()) == found
    first = pn_criterion(x, poisson_by_draws(100_000), order=1)
    assert (first.t0, first.second, first.contractions) == (found.t0, 0.0, None)
    assert first.mc_error == pytest.approx(found.mc_error, rel=0.1)
    with pytest.raises(ValueError, match="bootstrap is 50, but the moments of"):
        pn_criterion(x, poisson_by_draws(100_000), bootstrap=50)


def test_mc_error_is_the_spread_over_seeds() -> None:
    """That of the fitted theta is in it: with few draws a step it is most of the error."""
    x = np.random.default_rng(1).poisson(3.0, 500)
    for schedule, rest in ((None, 0.97), ([(300, 4)], 0.4)):
        found, fits = [], []
        for seed in range(80):
            family = poisson_by_draws(5000 if schedule is None else 20_000, seed, schedule)
            found.append(pn_criterion(x, family))
            # t0 = v / lambda, so that an error d of theta = log lambda takes off d t0
            noise = family.fit_noise(found[-1].theta_star) / x.mean()
            fits.append(0.25 * found[-1].t0 ** 2 * noise / 500**2)
        spread = np.std([one.risk for one in found], ddof=1)
        total = np.mean([one.mc_error**2 for one in found])
        # standard errors: 8 % of the spread of 80, 4 % of the stated
        assert np.sqrt(total) == pytest.approx(spread, rel=0.3)
        assert np.sqrt(1 - np.mean(fits) / total) == pytest.approx(rest, abs=0.05)


def test_status_noisy() -> None:
    x = np.random.default_rng(13).poisson(3.0, size=500)
    found = pn_criterion(x, poisson_by_draws(100))
    assert found.mc_error > 0.1 * found.risk
    assert any("Monte Carlo error" in note for note in found.notes)

"""Exact risk of gamma laws of unknown shape: moments of the log ratio of means, limits, the reference at 20 digits."""

from __future__ import annotations

import math

import mpmath as mp
import numpy as np
import pytest
from scipy import stats
from scipy.special import gammaln, polygamma

from asymptopia.theory.projection import kl_risk_exact, kl_risk_expansion
from asymptopia.theory.projection.exact_closed import normal_risk
from asymptopia.theory.projection.exact_gamma import gamma_both_risk, gap_law
from asymptopia.theory.projection.families import Gamma
from asymptopia.theory.projection.families.gammas import shape_of
from asymptopia.theory.projection.reference_gamma import gamma_both_risk as reference
from asymptopia.theory.projection.status import ProjectionStatus

SHAPES = (1e-3, 0.07, 0.5, 2.0, 13.9, 14.1, 400.0, 1e6)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("n", [4, 5, 7, 40, 1000])
def test_moments_of_the_ratio(n: int, shape: float) -> None:
    law = gap_law(n, shape)
    assert (law.weight > 0).all()
    assert law.weight.sum() == pytest.approx(1.0, abs=1e-13)
    # in shape, so that the scale of D is 1
    for s in (shape, 2.5 * n * shape):
        with mp.workdps(40):
            a, size, power = mp.mpf(shape), mp.mpf(n), mp.mpf(s)
            logs = power * mp.log(size) + mp.loggamma(size * a) - mp.loggamma(size * a + power)
            known = mp.exp(logs + size * (mp.loggamma(a + power / size) - mp.loggamma(a)))
        assert law.weight @ np.exp(-s * law.gap) == pytest.approx(float(known), rel=1e-13)
    with mp.workdps(40):
        a = mp.mpf(shape)
        mean = mp.log(a) - mp.psi(0, a) - mp.log(n * a) + mp.psi(0, n * a)
        variance = mp.psi(1, a) / n - mp.psi(1, n * a)
    assert law.weight @ law.gap == pytest.approx(float(mean), rel=1e-13)
    assert law.weight @ (law.gap - float(mean)) ** 2 == pytest.approx(float(variance), rel=1e-12)


@pytest.mark.parametrize(("n", "shape"), [(4, 0.5), (9, 3.0), (30, 100.0)])
def test_reference(n: int, shape: float) -> None:
    with mp.workdps(20):
        assert gamma_both_risk(n, shape) == pytest.approx(float(reference(shape, n)), rel=2e-15)


def test_simulation() -> None:
    rng = np.random.default_rng(5)
    data = rng.gamma(0.7, 3.0, (60_000, 8))
    mean = data.mean(axis=1)
    fit = shape_of(np.log(mean) - np.log(data).mean(axis=1))
    rate = fit / mean
    truth, scale = 0.7, 1 / 3.0
    lost = truth * np.log(scale) - math.lgamma(truth) - fit * np.log(rate) + gammaln(fit)
    lost += (truth - fit) * (polygamma(0, truth) - np.log(scale)) + (rate - scale) * truth / scale
    error = lost.std() / math.sqrt(lost.size)
    assert abs(lost.mean() - gamma_both_risk(8, truth)) < 4 * error
    assert error < 0.02 * gamma_both_risk(8, truth)


@pytest.mark.parametrize("shape", [0.05, 0.5, 2.0, 50.0])
def test_expansion_is_its_limit(shape: float) -> None:
    family = Gamma()
    series = kl_risk_expansion(family, family.natural(shape, 1.0))
    rests = [n * (n * (n * gamma_both_risk(n, shape) - series.c1) - series.c2) for n in (2000, 4000, 8000)]
    # what is left is c3 + c4/n
    assert rests[0] == pytest.approx(rests[1], rel=0.05)
    assert abs(rests[2] - rests[1]) == pytest.approx(abs(rests[1] - rests[0]) / 2, rel=0.2)


def test_a_large_shape_is_normal() -> None:
    for n in (4, 10, 1000):
        assert gamma_both_risk(n, 1e12) == pytest.approx(float(normal_risk(n)), rel=1e-11)


@pytest.mark.parametrize("n", [10**7, 10**9, 10**12, 2**53])
def test_large_samples(n: int) -> None:
    series = kl_risk_expansion(Gamma(), Gamma().natural(2.0, 1.0))
    assert gamma_both_risk(n, 2.0) == pytest.approx(float(series.risk(n)), rel=1e-15 * math.sqrt(n) + 1e-12)


def test_where_it_is_infinite() -> None:
    assert gamma_both_risk(3, 2.0) == math.inf
    assert gamma_both_risk(4, 0.25) == math.inf
    assert math.isfinite(gamma_both_risk(4, 0.2501))
    assert gamma_both_risk(2**53, 1e-17) == math.inf
    family = Gamma()
    found = kl_risk_exact(family, family.natural(2.0, 5.0), [1, 2, 3, 4, 5])
    assert found.status is ProjectionStatus.INFINITE_RISK
    assert found.prob_no_mle.tolist() == [1.0, 0.0, 0.0, 0.0, 0.0]
    assert np.isinf(found.value).tolist() == [True, True, True, False, False]
    assert found.value[3] > found.value[4]
    assert "shape" in found.method


def test_laws_of_scipy() -> None:
    value = kl_risk_exact(Gamma(), Gamma().natural(2.0, 0.25), 12).value
    for truth in (stats.gamma(2.0), stats.gamma(2.0, scale=4.0), stats.chi2(4), stats.erlang(2)):
        assert kl_risk_exact(Gamma(), n=12, truth=truth).value == value
    matching = stats.gamma(2.0, scale=4.0)
    assert kl_risk_exact(Gamma(), Gamma().natural(2.0, 0.25), 12, truth=matching).value == value
    assert kl_risk_exact(Gamma(), n=12, truth=stats.expon()).value == gamma_both_risk(12, 1.0)


def test_a_density_that_does_not_settle_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    from asymptopia.theory.projection import exact_gamma

    monkeypatch.setattr(exact_gamma, "_ANGLES", 3)
    with pytest.raises(ArithmeticError, match=r"integrates to .* at n = 5, shape = 2"):
        gap_law(5, 2.0)


def test_shapes_elementwise() -> None:
    gaps = np.array([1e-9, 0.3, 20.0, 1e8, 1e9, 1e30])
    assert shape_of(gaps).tolist() == pytest.approx([float(shape_of(gap)) for gap in gaps], rel=1e-15)

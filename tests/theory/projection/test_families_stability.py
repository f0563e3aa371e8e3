"""Extreme parameters: contractions, projections, divergences and Stirling remainders against mpmath."""

from __future__ import annotations

import itertools
from typing import Any

import mpmath as mp
import numpy as np
import pytest

from asymptopia.theory.projection.families import digammas
from asymptopia.theory.projection.families.categorical import Multinomial
from asymptopia.theory.projection.families.discrete import Bernoulli, NegativeBinomial, Poisson
from asymptopia.theory.projection.families.gammas import Gamma, shape_of
from asymptopia.theory.projection.families.normal import Normal
from asymptopia.theory.projection.families.positive import InverseGaussian
from asymptopia.theory.projection.families.simplex import Beta, Dirichlet

SHAPES = [1e-8, 1e-3, 0.5, 2.0, 9.9, 10.0, 50.0, 1e3, 1e5, 1e8, 1e12]


@pytest.fixture(autouse=True)
def digits() -> Any:
    with mp.workdps(70):
        yield


def invariants(cov: Any, third: Any, fourth: Any, p: int) -> list[float]:
    """F, B and K from entries of the cumulants, by their definitions."""
    g = mp.inverse(mp.matrix(cov))
    span = range(p)
    f = mp.fsum(
        third(i, j, k) * third(u, v, w) * g[i, u] * g[j, v] * g[k, w]
        for i, j, k, u, v, w in itertools.product(span, repeat=6)
    )
    v = [mp.fsum(third(i, j, u) * g[i, j] for i in span for j in span) for u in span]
    b = mp.fsum(v[i] * v[j] * g[i, j] for i in span for j in span)
    k = mp.fsum(fourth(i, j, u, w) * g[i, j] * g[u, w] for i, j, u, w in itertools.product(span, repeat=4))
    return [float(f), float(b), float(k)]


@pytest.mark.parametrize("a", SHAPES)
def test_gamma_contractions(a: float) -> None:
    shape = mp.mpf(a)
    third = [mp.psi(2, shape), 0, 1, 2 * shape]
    fourth = [mp.psi(3, shape), 0, 0, 2, 6 * shape]
    wanted = invariants([[mp.psi(1, shape), 1], [1, shape]], lambda *i: third[sum(i)], lambda *i: fourth[sum(i)], 2)
    found = Gamma().contractions(Gamma().natural(a, 3.0))
    np.testing.assert_allclose([found.F, found.B, found.K], wanted, rtol=4e-15)


@pytest.mark.parametrize(
    "alpha",
    [
        [1.0, 1.0],
        [1e-3, 1e-3],
        [1e-6, 2e-6],
        [2.0, 3.0],
        [50.0, 60.0],
        [1e5, 1e5],
        [1e8, 1e8],
        [1e8, 1.0],
        [0.3, 0.2, 0.4],
        [1e5, 2e5, 3e5],
        [1e5, 2.0, 1e-4],
    ],
)
def test_dirichlet_contractions(alpha: list[float]) -> None:
    total = mp.fsum(map(mp.mpf, alpha))

    def cumulant(*i: int) -> Any:
        order = len(i) - 1
        return (mp.psi(order, mp.mpf(alpha[i[0]])) if len(set(i)) == 1 else 0) - mp.psi(order, total)

    p = len(alpha)
    table = {i: cumulant(*i) for n in (2, 3, 4) for i in itertools.product(range(p), repeat=n)}
    cov = [[table[i, j] for j in range(p)] for i in range(p)]
    wanted = invariants(cov, lambda *i: table[i], lambda *i: table[i], p)
    family = Dirichlet(p)
    found = family.contractions(family.natural(alpha))
    np.testing.assert_allclose([found.F, found.B, found.K], wanted, rtol=2e-14)
    if p == 2:
        assert Beta().contractions(Beta().natural(*alpha)) == found


def test_multinomial_contractions_of_a_rare_reference() -> None:
    # c2 = (5/12) S1 - k/2 + 1/12 = (10 F + 9 B - 9 K)/24 of the indicators, S1 the sum of 1/p
    rare = 1e-11
    probs = np.array([0.25, 0.75 - rare, rare])
    family = Multinomial(3)
    found = family.contractions(family.natural(probs))
    wanted = 5 / 12 * float(np.sum(1 / probs)) - 1.5 + 1 / 12
    second = (10 * found.F + 9 * found.B - 9 * found.K) / 24
    assert second == pytest.approx(wanted, rel=1e-10)


@pytest.mark.parametrize("a", SHAPES)
def test_stirling_remainders(a: float) -> None:
    x = mp.mpf(a)
    for function, wanted in (
        (digammas.trigamma_excess, mp.psi(1, x) - 1 / x),
        (digammas.tetragamma_excess, mp.psi(2, x) + 1 / x**2),
        (digammas.pentagamma_excess, mp.psi(3, x) - 2 / x**3),
    ):
        assert function(a) == pytest.approx(float(wanted), rel=2e-15)

    def remainder(y: Any) -> Any:
        return mp.loggamma(y) - (y - 0.5) * mp.log(y) + y

    slope = mp.psi(0, x) - mp.log(x) + 1 / (2 * x)
    for ratio in (0.01, 0.6, 1.25, 3.0, 40.0):
        b = a * ratio
        wanted = remainder(mp.mpf(b)) - remainder(x) - (mp.mpf(b) - x) * slope
        # far apart it is a small part of a divergence above 0.07
        far = 4e-16 * max(1.0, ratio) if abs(ratio - 1) > 0.5 else 0.0
        assert digammas.gammaln_bregman(a, b) == pytest.approx(float(wanted), rel=1e-12, abs=far)
    np.testing.assert_array_equal(
        digammas.trigamma_excess(np.array(SHAPES)), [digammas.trigamma_excess(s) for s in SHAPES]
    )


@pytest.mark.parametrize("a", [1e-70, 1e-20, 1e-9, 1.1e-8, *SHAPES])
def test_shape_of_a_gap(a: float) -> None:
    gap = float(mp.log(mp.mpf(a)) - mp.psi(0, mp.mpf(a)))
    assert shape_of(gap) == pytest.approx(a, rel=1e-15)


@pytest.mark.parametrize("a", [1e-3, 0.1, 1.0, 30.0, 1e4, 1e8])
@pytest.mark.parametrize("rate", [1e-6, 1.0, 1e6])
def test_gamma_projection_within_the_rounding_of_the_mean(a: float, rate: float) -> None:
    family = Gamma()
    theta = family.natural(a, rate)
    mean = family.mean(theta)
    # the gap is a difference of logarithms
    slack = 1e-14 + 4e-16 * (abs(mean[0]) + 1) * 2 * a
    np.testing.assert_allclose(family.mle(mean), theta, rtol=slack)


@pytest.mark.parametrize(
    "alpha",
    [
        [1e-8, 1e-8],
        [1e-8, 3.0],
        [1e-3, 1e-3],
        [0.5, 0.5],
        [1e-2, 1e6],
        [2.0, 3.0],
        [50.0, 60.0],
        [1e5, 1e5],
        [1e8, 1e8],
        [1e8, 1.0],
        [1.0, 2.0, 3.0, 4.0],
        [1e5, 2e5, 3e5],
        [1e5, 2.0, 1e-4],
        np.linspace(0.1, 5, 300).tolist(),
    ],
)
def test_dirichlet_projection(alpha: list[float]) -> None:
    family = Dirichlet(len(alpha))
    theta = family.natural(alpha)
    mean = family.mean(theta)
    total = mp.fsum(map(mp.mpf, alpha))
    wanted = [float(mp.psi(0, mp.mpf(x)) - mp.psi(0, total)) for x in alpha]
    np.testing.assert_allclose(mean, wanted, rtol=3e-15)
    found = family.mle(mean)
    np.testing.assert_allclose(family.mean(found), mean, rtol=1e-15)
    # the scale of alpha shows in the mean as 1/alpha
    np.testing.assert_allclose(found, theta, rtol=1e-13 + 1e-15 * max(alpha) * (min(alpha) > 2))


@pytest.mark.parametrize("mean", [1e-12, 1e-3, 1.0, 37.5, 1e9])
def test_projections_in_closed_form_over_scales(mean: float) -> None:
    for family in (Poisson(), NegativeBinomial(0.7), Gamma(3.0)):
        np.testing.assert_allclose(family.mean(family.mle([mean])), [mean], rtol=1e-13)
    for phi in (1e-6, 1.0, 1e6):
        family = InverseGaussian()
        theta = family.natural(mean, mean / phi)
        np.testing.assert_allclose(family.mle(family.mean(theta)), theta, rtol=1e-14 + 1e-15 / phi)
    normal = Normal()
    theta = normal.natural(mean, mean**2)
    np.testing.assert_allclose(normal.mle(normal.mean(theta)), theta, rtol=1e-14)


@pytest.mark.parametrize("share", [1e-15, 0.2, 1 - 1e-12])
def test_bernoulli_projection(share: float) -> None:
    assert Bernoulli().mle([share])[0] == pytest.approx(float(mp.log(mp.mpf(share) / (1 - mp.mpf(share)))), rel=1e-15)


@pytest.mark.parametrize("star", [(1e-4, 2.0), (0.3, 2.0), (5.0, 1e-3), (1e5, 7.0), (1e8, 7.0)])
@pytest.mark.parametrize("step", [(1e-9, 1e-9), (1e-9, -2e-9), (0.3, 0.3), (0.4, -0.2), (3.0, 2.0), (-0.9, 5.0)])
def test_gamma_divergence(star: tuple[float, float], step: tuple[float, float]) -> None:
    family = Gamma()
    first = family.natural(*star)
    second = family.natural(*(x * (1 + s) for x, s in zip(star, step, strict=True)))
    a, b = (mp.mpf(float(abs(x))) for x in first)
    c, d = (mp.mpf(float(abs(x))) for x in second)
    wanted = (a - c) * mp.psi(0, a) - mp.loggamma(a) + mp.loggamma(c) + c * mp.log(b / d) + a * (d - b) / b
    # the ratio of scales is known to an ulp, which counts at a small difference
    assert family.divergence(first, second) == pytest.approx(float(wanted), rel=2e-12 if abs(step[0]) > 1e-3 else 1e-6)


@pytest.mark.parametrize("alpha", [[1e-3, 2e-3], [0.5, 2.0, 1.0], [1e5, 2e5], [1e8, 1e8, 1e8]])
@pytest.mark.parametrize("size", [1e-7, 0.2, 3.0])
def test_dirichlet_divergence(alpha: list[float], size: float) -> None:
    family = Dirichlet(len(alpha))
    for pattern in (np.ones(len(alpha)), np.arange(1.0, len(alpha) + 1)):
        hat = np.array(alpha) * (1 + size * pattern / pattern.max())
        pairs = [(mp.mpf(x), mp.mpf(float(y))) for x, y in zip(alpha, hat, strict=True)]
        total, total_hat = (mp.fsum(side) for side in zip(*pairs, strict=True))
        wanted = mp.fsum(mp.loggamma(y) - mp.loggamma(x) - (y - x) * mp.psi(0, x) for x, y in pairs)
        wanted -= mp.loggamma(total_hat) - mp.loggamma(total) - (total_hat - total) * mp.psi(0, total)
        assert family.divergence(alpha, hat) == pytest.approx(float(wanted), rel=1e-11 if size > 0.1 else 1e-7)


@pytest.mark.parametrize("star", [-800.0, -30.0, 0.0, 30.0, 800.0])
@pytest.mark.parametrize("hat", [-900.0, -20.0, 1e-9, 25.0, 900.0])
def test_bernoulli_divergence_far_out(star: float, hat: float) -> None:
    with mp.workdps(500):
        a, b = mp.mpf(star), mp.mpf(hat)
        p = 1 / (1 + mp.exp(-a))
        wanted = mp.log1p(mp.exp(b)) - mp.log1p(mp.exp(a)) - (b - a) * p
        assert Bernoulli().divergence(star, hat) == pytest.approx(float(wanted), rel=1e-12, abs=1e-300)


def test_multinomial_divergence_far_out() -> None:
    family = Multinomial(3)
    star, hat = [800.0, 0.0], [0.0, -900.0]
    # all mass on the first category, whose share falls to one half
    assert family.divergence(star, hat) == pytest.approx(np.log(2.0), rel=1e-13)
    with mp.workdps(900):
        a, b = ([mp.mpf(v) for v in (*t, 0.0)] for t in (hat, star))
        weights = [mp.exp(v) for v in a]
        p = [v / mp.fsum(weights) for v in weights]
        wanted = mp.log(mp.fsum(map(mp.exp, b)) / mp.fsum(weights)) - mp.fsum(
            q * (y - x) for q, x, y in zip(p, a, b, strict=True)
        )
    assert family.divergence(hat, star) == pytest.approx(float(wanted), rel=1e-14)


@pytest.mark.parametrize("q", [1e-12, 0.3, 1 - 1e-9])
@pytest.mark.parametrize("ratio", [1e-3, 0.7, 1 + 1e-8])
def test_negative_binomial_divergence(q: float, ratio: float) -> None:
    family = NegativeBinomial(2.5)
    star = family.natural(q)
    hat = star / ratio
    a, b = mp.mpf(float(star[0])), mp.mpf(float(hat[0]))
    wanted = mp.mpf(2.5) * (mp.log1p(-mp.exp(a)) - mp.log1p(-mp.exp(b)) - (b - a) / mp.expm1(-a))
    assert family.divergence(star, hat) == pytest.approx(float(wanted), rel=1e-11 if ratio < 1 else 1e-7)

"""Cumulants against derivatives of independent potentials, projections against means, samples against both."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import mpmath as mp
import numpy as np
import pytest

from asymptopia.theory.projection.contractions import Contractions, Rows, from_cumulants
from asymptopia.theory.projection.families.categorical import Multinomial
from asymptopia.theory.projection.families.discrete import Bernoulli, NegativeBinomial, Poisson
from asymptopia.theory.projection.families.gammas import Gamma
from asymptopia.theory.projection.families.multivariate import MultivariateNormal
from asymptopia.theory.projection.families.normal import Normal
from asymptopia.theory.projection.families.positive import Exponential, InverseGaussian
from asymptopia.theory.projection.families.protocol import ExponentialFamily
from asymptopia.theory.projection.families.simplex import Beta, Dirichlet

Potential = Callable[[list[Any]], Any]


def _dirichlet(t: list[Any]) -> Any:
    return mp.fsum(mp.loggamma(a) for a in t) - mp.loggamma(mp.fsum(t))


def _normal(d: int, *, linear: bool = True) -> Potential:
    def potential(t: list[Any]) -> Any:
        first = t[:d] if linear else [mp.mpf(0)] * d
        rest = iter(t[d:] if linear else t)
        precision = mp.matrix(d, d)
        for i in range(d):
            for j in range(i, d):
                value = next(rest)
                precision[i, j] = precision[j, i] = -2 * value if i == j else -value
        h = mp.matrix(first)
        return ((h.T * mp.inverse(precision) * h)[0] - mp.log(mp.det(precision))) / 2

    return potential


CASES: dict[str, tuple[ExponentialFamily, dict[str, Any], Potential]] = {
    "bernoulli": (Bernoulli(), {"p": 0.3}, lambda t: mp.log1p(mp.exp(t[0]))),
    "multinomial": (
        Multinomial(4),
        {"probs": [0.1, 0.2, 0.3, 0.4]},
        lambda t: mp.log1p(mp.fsum(mp.exp(a) for a in t)),
    ),
    "poisson": (Poisson(), {"lam": 2.5}, lambda t: mp.exp(t[0])),
    "negative binomial": (NegativeBinomial(1.5), {"q": 0.3}, lambda t: -mp.mpf(1.5) * mp.log1p(-mp.exp(t[0]))),
    "exponential": (Exponential(), {"rate": 2.0}, lambda t: -mp.log(-t[0])),
    "gamma of known shape": (Gamma(2.5), {"rate": 0.7}, lambda t: -mp.mpf(2.5) * mp.log(-t[0])),
    "gamma": (Gamma(), {"shape": 1.7, "rate": 0.6}, lambda t: mp.loggamma(t[0]) - t[0] * mp.log(-t[1])),
    "inverse gaussian": (
        InverseGaussian(),
        {"mu": 1.5, "lam": 0.8},
        lambda t: -mp.log(-2 * t[1]) / 2 - 2 * mp.sqrt(t[0] * t[1]),
    ),
    "normal": (
        Normal(),
        {"mu": 1.2, "sigma2": 0.7},
        lambda t: -(t[0] ** 2) / (4 * t[1]) - mp.log(-2 * t[1]) / 2,
    ),
    "normal in 2": (
        MultivariateNormal(2),
        {"mean": [1.0, -0.5], "cov": [[2.0, 0.5], [0.5, 1.0]]},
        _normal(2),
    ),
    "normal in 2 about 0": (
        MultivariateNormal(2, known_mean=True),
        {"cov": [[2.0, 0.5], [0.5, 1.0]]},
        _normal(2, linear=False),
    ),
    "normal in 3 of known mean": (
        MultivariateNormal(3, known_mean=[3.0, 0.0, -1.0]),
        {"cov": [[2.0, 0.5, 0.1], [0.5, 1.0, -0.2], [0.1, -0.2, 0.8]]},
        _normal(3, linear=False),
    ),
    "beta": (Beta(), {"a": 2.0, "b": 0.7}, _dirichlet),
    "dirichlet": (Dirichlet(3), {"alpha": [0.5, 2.0, 11.0]}, _dirichlet),
}
each = pytest.mark.parametrize("case", CASES)


def parts(case: str) -> tuple[ExponentialFamily, np.ndarray, Potential]:
    family, usual, potential = CASES[case]
    return family, family.natural(**usual), potential


def along(potential: Potential, theta: np.ndarray, *directions: np.ndarray) -> Callable[..., Any]:
    """The potential on the plane through theta in these directions, at mpmath's precision."""

    def function(*steps: Any) -> Any:
        point = [mp.mpf(float(a)) for a in theta]
        for step, direction in zip(steps, directions, strict=True):
            point = [a + step * mp.mpf(float(u)) for a, u in zip(point, direction, strict=True)]
        return potential(point)

    return function


@each
def test_cumulants_are_derivatives_of_the_potential(case: str) -> None:
    family, theta, potential = parts(case)
    rng = np.random.default_rng(1)
    with mp.workdps(30):
        assert family.log_partition(theta) == pytest.approx(float(along(potential, theta)()), rel=1e-14, abs=1e-14)
        for _ in range(2 if family.dim > 5 else 4):
            u, v = rng.normal(size=(2, family.dim)) * np.abs(theta)
            line, plane = along(potential, theta, u), along(potential, theta, u, v)
            assert family.mean(theta) @ u == pytest.approx(float(mp.diff(line, 0, 1)), rel=1e-12)
            assert u @ family.cov(theta) @ u == pytest.approx(float(mp.diff(line, 0, 2)), rel=1e-12)
            assert u @ family.cov(theta) @ v == pytest.approx(float(mp.diff(plane, (0, 0), (1, 1))), rel=1e-11)
            third = np.einsum("ijk,i,j,k->", family.third(theta), u, u, u)
            assert third == pytest.approx(float(mp.diff(line, 0, 3)), rel=1e-11)
            third = np.einsum("ijk,i,j,k->", family.third(theta), u, v, v)
            assert third == pytest.approx(float(mp.diff(plane, (0, 0), (1, 2))), rel=1e-10)
            fourth = v @ family.fourth(theta, np.outer(u, u)) @ v
            assert fourth == pytest.approx(float(mp.diff(plane, (0, 0), (2, 2))), rel=1e-10)


@each
def test_cumulants_are_symmetric(case: str) -> None:
    family, theta, _ = parts(case)
    third = family.third(theta)
    np.testing.assert_allclose(third, third.transpose(1, 2, 0), rtol=1e-12, atol=1e-12 * np.abs(third).max())
    np.testing.assert_allclose(third, third.transpose(1, 0, 2), rtol=1e-12, atol=1e-12 * np.abs(third).max())
    a, b = np.random.default_rng(2).normal(size=(2, family.dim, family.dim))
    a, b = a + a.T, b + b.T
    assert np.vdot(family.fourth(theta, a), b) == pytest.approx(np.vdot(family.fourth(theta, b), a), rel=1e-10)


@each
def test_projection_of_the_mean(case: str) -> None:
    family, theta, _ = parts(case)
    np.testing.assert_allclose(family.mle(family.mean(theta)), theta, rtol=1e-13)


@each
def test_natural_and_usual_are_inverse(case: str) -> None:
    family, usual, _ = CASES[case]
    theta = family.natural(**usual)
    assert theta.shape == (family.dim,)
    assert theta.dtype == np.float64
    assert not theta.flags.writeable
    found = family.usual(theta)
    assert set(found) == set(usual)
    for key, value in usual.items():
        np.testing.assert_allclose(found[key], value, rtol=1e-13, atol=1e-14)
    np.testing.assert_array_equal(family.natural(*usual.values()), theta)


@each
def test_samples_have_the_mean_and_covariance(case: str) -> None:
    # means of 20 000 draws within 5 standard errors: a false alarm in 1.7e6; variances within 5 as well
    family, theta, _ = parts(case)
    n = 20_000
    rows = family.statistic(family.sample(theta, n, 7))
    assert rows.shape == (n, family.dim)
    deviation = rows - family.mean(theta)
    error = np.sqrt(np.diag(family.cov(theta)) / n)
    assert np.abs(deviation.mean(axis=0) / error).max() < 5
    square = deviation**2
    assert np.abs((square.mean(axis=0) - np.diag(family.cov(theta))) * math.sqrt(n) / square.std(axis=0)).max() < 5


@each
def test_samples_repeat_with_the_seed(case: str) -> None:
    family, theta, _ = parts(case)
    np.testing.assert_array_equal(family.sample(theta, 5, 3), family.sample(theta, 5, np.random.default_rng(3)))
    assert len(family.sample(theta, 0, 3)) == 0


@each
def test_contractions_equal_those_of_the_tensors(case: str) -> None:
    family, theta, _ = parts(case)
    rng = np.random.default_rng(3)
    root = rng.normal(size=(family.dim, family.dim))
    rows = rng.normal(size=(40, family.dim)) ** 3
    weights = rng.dirichlet(np.ones(40))
    kappa = 1.25 * np.einsum("a,ai,aj,ak->ijk", weights, rows, rows, rows)

    def tensors(**truth: Any) -> Contractions:
        return from_cumulants(family.cov(theta), family.third(theta), lambda w: family.fourth(theta, w), **truth)

    np.testing.assert_allclose(family.contractions(theta), tensors(), rtol=1e-11, atol=1e-12)
    wanted = tensors(truth_cov=root @ root.T, truth_third=kappa)
    for third in (kappa, Rows(rows, weights, 1.25)):
        found = family.contractions(theta, truth_cov=root @ root.T, truth_third=third)
        np.testing.assert_allclose(found, wanted, rtol=1e-11, atol=1e-12)


@each
def test_contractions_of_the_model_as_truth(case: str) -> None:
    family, theta, _ = parts(case)
    found = family.contractions(theta, truth_cov=family.cov(theta), truth_third=family.third(theta))
    np.testing.assert_allclose(found, family.contractions(theta), rtol=1e-10, atol=1e-12)


@each
@pytest.mark.parametrize("size", [0.3, 1e-2, 1e-5, 1e-9])
def test_divergence_near_and_far(case: str, size: float) -> None:
    family, theta, potential = parts(case)
    hat = theta + size * np.random.default_rng(4).uniform(-1, 1, theta.size) * np.abs(theta) / theta.size
    with mp.workdps(60):
        delta = [mp.mpf(float(b)) - mp.mpf(float(a)) for a, b in zip(theta, hat, strict=True)]

        def line(s: Any) -> Any:
            return potential([mp.mpf(float(a)) + s * d for a, d in zip(theta, delta, strict=True)])

        exact = float(line(1) - line(0) - mp.diff(line, 0))
    assert family.divergence(theta, hat) == pytest.approx(exact, rel=3e-13)


@each
def test_divergence_of_equals_is_zero(case: str) -> None:
    family, theta, _ = parts(case)
    assert family.divergence(theta, theta) == 0.0


@each
def test_families_are_values(case: str) -> None:
    family = CASES[case][0]
    assert hash(family) == hash(family)
    assert family == type(family)(**{name: getattr(family, name) for name in getattr(family, "__slots__", ())})
    with pytest.raises((AttributeError, TypeError)):
        family.k = 9  # type: ignore[attr-defined]


def test_known_contractions() -> None:
    # one parameter: F = B = k3^2/k2^3 and K = k4/k2^2; normal and inverse Gaussian by hand
    def invariants(family: ExponentialFamily, *usual: float) -> list[float]:
        found = family.contractions(family.natural(*usual))
        return [found.F, found.B, found.K]

    np.testing.assert_allclose(invariants(Poisson(), 2.0), [0.5, 0.5, 0.5], rtol=1e-14)
    np.testing.assert_allclose(invariants(Normal(), 1e6, 1e-3), [14, 18, 20], rtol=1e-14)
    phi = 1e-12
    wanted = [14 + 9 * phi, 18 + 9 * phi, 20 + 15 * phi]
    np.testing.assert_allclose(invariants(InverseGaussian(), 1e-3, 1e9), wanted, rtol=1e-14)


def test_finite_supports() -> None:
    for family, usual in ((Bernoulli(), 0.3), (Multinomial(4), [0.1, 0.2, 0.3, 0.4])):
        theta = family.natural(usual)
        states = family.support()
        np.testing.assert_array_equal(family.statistic(states.states), states.statistic)
        probs = family.probabilities(theta)
        assert probs.sum() == pytest.approx(1, rel=1e-15)
        np.testing.assert_allclose(probs @ states.statistic, family.mean(theta), rtol=1e-14)
    with pytest.raises(TypeError, match="Poisson has no finite support"):
        Poisson().support()

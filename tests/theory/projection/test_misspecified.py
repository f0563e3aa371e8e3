"""Misspecified closed forms: the specification's numbers, exact risks, moments of another route."""

import itertools

import mpmath as mp
import numpy as np
import pytest

from asymptopia.theory.projection import closed_forms, families, misspecified
from asymptopia.theory.projection.expansion import kl_risk_expansion

# the three-point truth of the specification and its standardized moments
VALUES, WEIGHTS = np.array([-1.0, 0.0, 2.0]), np.array([0.3, 0.45, 0.25])


def standardized(values, weights):
    z = values - weights @ values
    z = z / np.sqrt(weights @ z**2)
    return weights @ z**3, weights @ z**4 - 3.0, weights @ z**6


def test_normal_from_three_points():
    found = misspecified.normal_from_moments(*standardized(VALUES, WEIGHTS))
    assert found.c1 == pytest.approx(0.76133786848072562358, rel=1e-14)
    assert found.c2 == pytest.approx(5.1284266415056826459, rel=1e-13)
    assert found.optimism2 == pytest.approx(6.6324268180439220284, rel=1e-13)
    family = families.Normal()
    other = kl_risk_expansion(family, truth=dict(zip(VALUES, WEIGHTS, strict=True)))
    for name in ("c1", "c2", "optimism1", "optimism2", "reverse1", "reverse2"):
        assert getattr(other, name) == pytest.approx(getattr(found, name), rel=1e-12)
    assert found.c3 is None


def test_normal_from_known_laws():
    assert misspecified.normal_from_moments(0.0, 0.0, 15.0)[:2] == pytest.approx((1.0, 61 / 12))
    # exponential truth: skewness 2, excess 6, sixth central moment 265
    exponential = misspecified.normal_from_moments(2.0, 6.0, 265.0)
    assert exponential[:2] == pytest.approx((2.5, 10.25), rel=1e-14)
    found = misspecified.normal_from_moments([0.0, 2.0], [0.0, 6.0], [15.0, 265.0])
    assert found.c2 == pytest.approx([61 / 12, 10.25])


def coefficients_of(exact):
    with mp.workdps(60):
        sizes = [mp.mpf(10) ** 6 * k for k in range(1, 7)]
        matrix = mp.matrix([[n**-k for k in range(1, 7)] for n in sizes])
        found = mp.lu_solve(matrix, mp.matrix([exact(n) for n in sizes]))
        return [float(found[k]) for k in range(3)]


@pytest.mark.parametrize("a", [0.5, 3.0])
def test_exponential_from_gamma(a):
    found = misspecified.exponential_from_gamma(a)
    forward = coefficients_of(lambda n: mp.psi(0, n * a) - mp.log(n * a) + 1 / (n * a - 1))
    assert found[:3] == pytest.approx(forward, rel=1e-12)
    assert found[3:6] == pytest.approx(coefficients_of(lambda n: 1 / (n * a - 1)), rel=1e-12)
    assert misspecified.exponential_from_gamma(1.0) == closed_forms.exponential()


def test_poisson_from_negative_binomial():
    mean, size = 2.0, 4.0
    found = misspecified.poisson_from_negative_binomial(mean, size)
    # three terms at n = 30, of the specification; the exact conditional risk is 0.025396693697181633267
    assert sum(c / 30**k for k, c in enumerate(found[:3], 1)) == pytest.approx(0.0253958333, rel=1e-8)
    v = mean + mean**2 / size
    third = v * (1 + 2 * mean / size)
    fourth = v * ((1 + 2 * mean / size) ** 2 + v * 2 / size)
    other = misspecified.poisson_from_counts(mean, v, third, fourth)
    assert found == pytest.approx(other, rel=1e-13)
    assert misspecified.poisson_from_counts(mean, v, third)[2] is None
    limit = misspecified.poisson_from_negative_binomial(mean, 1e15)
    assert limit == pytest.approx(closed_forms.poisson(mean), rel=1e-12)
    assert misspecified.poisson_from_counts(2.0, 2.0, 2.0, 2.0) == pytest.approx(closed_forms.poisson(2.0), rel=1e-14)


def test_poisson_from_any_counts_through_the_family():
    law = {0: 0.1, 1: 0.5, 2: 0.1, 6: 0.3}
    x, w = np.array(list(law)), np.array(list(law.values()))
    m = w @ x
    found = misspecified.poisson_from_counts(m, w @ (x - m) ** 2, w @ (x - m) ** 3)
    other = kl_risk_expansion(families.Poisson(), truth=law)
    for name in ("c1", "c2", "optimism2", "reverse2"):
        assert getattr(other, name) == pytest.approx(getattr(found, name), rel=1e-12)


def test_independent_binary_whatever_the_dependence():
    states = np.array(list(itertools.product([0.0, 1.0], repeat=3)))
    joint = np.random.default_rng(4).dirichlet(np.ones(8))
    found = misspecified.independent_binary(joint @ states)
    other = kl_risk_expansion(families.FiniteSupport(states), truth=joint)
    assert (other.c1, other.c2) == pytest.approx((found.c1, found.c2), rel=1e-11)
    assert found.c1 == 1.5
    assert misspecified.independent_binary(np.full((2, 3), 0.5)).c2 == pytest.approx([2.25, 2.25])
    assert misspecified.independent_binary(0.5) == pytest.approx(closed_forms.bernoulli(0.5))


def test_mardia_trace():
    assert misspecified.mardia_trace(63.0, 7) == 35.0
    # abalone of the specification
    assert misspecified.mardia_trace(486.4, 7) == pytest.approx(246.7)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: misspecified.exponential_from_gamma(0.0), "shape"),
        (lambda: misspecified.poisson_from_negative_binomial(1.0, -1.0), "size"),
        (lambda: misspecified.poisson_from_counts(1.0, 0.0, 1.0), "var"),
        (lambda: misspecified.normal_from_moments(2.0, 1.0, 100.0), "excess_kurtosis"),
        (lambda: misspecified.normal_from_moments(0.0, 3.0, 15.0), "sixth"),
        (lambda: misspecified.mardia_trace(10.0, 4), "kurtosis"),
        (lambda: misspecified.independent_binary([0.5, 1.0]), "probs"),
    ],
)
def test_bad_input(call, words):
    with pytest.raises(ValueError, match=words):
        call()

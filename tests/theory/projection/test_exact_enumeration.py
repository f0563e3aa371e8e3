"""Exact risks by enumeration: brute force, numbers of the specification, the expansion, families that factorise."""

from __future__ import annotations

import itertools
import math

import mpmath as mp
import numpy as np
import pytest
from accuracy import relative_error
from scipy import stats

from asymptopia.theory.projection import exact_cells
from asymptopia.theory.projection.errors import MLEDoesNotExistError
from asymptopia.theory.projection.exact_enumeration import (
    compositions,
    compositions_count,
    normal_enumeration,
    one_by_one,
)
from asymptopia.theory.projection.exact_risk import kl_risk_exact
from asymptopia.theory.projection.expansion import kl_risk_expansion
from asymptopia.theory.projection.families import Bernoulli, Exponential, FiniteSupport, Normal
from asymptopia.theory.projection.families.ising import Ising
from asymptopia.theory.projection.families.loglinear import LogLinear

THREE = {-1.0: 0.3, 0.0: 0.45, 2.0: 0.25}
CUBIC = FiniteSupport([[0, 0], [1, 1], [2, 4], [3, 9]])
OUTSIDE = np.array([0.2, 0.35, 0.15, 0.3])


def samples(n, k):
    return (c for c in itertools.product(range(n + 1), repeat=k) if sum(c) == n)


def multinomial_weight(c, probs):
    weight = mp.mpf(math.factorial(sum(c)))
    for count, p in zip(c, probs, strict=True):
        weight = weight * mp.mpf(p) ** count / math.factorial(count)
    return weight


def brute_force(family, theta, n, truth):
    """Conditional risk and probability of no MLE with the family's own estimate of each sample."""
    rows = family.support().statistic
    q = family.probabilities(theta)
    risk = there = none = 0.0
    for x in samples(n, truth.size):
        weight = float(multinomial_weight(x, truth))
        try:
            estimate = family.mle(np.array(x) @ rows / n)
        except MLEDoesNotExistError:
            none += weight
            continue
        risk += weight * float(q @ np.log(q / family.probabilities(estimate)))
        there += weight
    return risk / there, none


@pytest.mark.parametrize(
    ("family", "truth", "n"),
    [
        (CUBIC, OUTSIDE, 6),
        (FiniteSupport([0.1, 1.3, 2.0, 3.7]), np.array([0.1, 0.5, 0.2, 0.2]), 5),
        (FiniteSupport([-1, 0, 1], log_base=[0.3, 0.0, -1.0]), np.array([0.5, 0.1, 0.4]), 7),
        (LogLinear([2, 2], interactions=1), np.array([0.4, 0.1, 0.2, 0.3]), 6),
    ],
)
def test_finite_families_by_brute_force(family, truth, n):
    theta = family.mle(truth @ family.support().statistic)
    risk, none = brute_force(family, theta, n, truth)
    found = kl_risk_exact(family, n=n, truth=truth)
    assert found.value == pytest.approx(risk, rel=1e-11)
    assert found.prob_no_mle == pytest.approx(none, rel=1e-12)
    assert kl_risk_exact(family, theta, n, truth=truth).value == pytest.approx(found.value, rel=1e-12)
    # the model itself as truth
    chances = family.probabilities(theta)
    risk, none = brute_force(family, theta, n, chances)
    found = kl_risk_exact(family, theta, n)
    assert found.value == pytest.approx(risk, rel=1e-11)
    assert found.prob_no_mle == pytest.approx(none, rel=1e-12)


def test_finite_family_smoothed():
    truth, n, c = OUTSIDE, 4, 0.5
    rows = CUBIC.support().statistic
    theta = CUBIC.mle(truth @ rows)
    q = CUBIC.probabilities(theta)
    wanted = 0.0
    for x in samples(n, 4):
        share = (np.array(x) + c) / (n + 4 * c)
        hat = CUBIC.probabilities(CUBIC.mle(share @ rows))
        wanted += float(multinomial_weight(x, truth)) * float(q @ np.log(q / hat))
    found = kl_risk_exact(CUBIC, n=n, truth=truth, nonexistence="smooth")
    assert found.value == pytest.approx(wanted, rel=1e-11)


def test_finite_family_against_the_expansion():
    found = kl_risk_expansion(CUBIC, truth=OUTSIDE)
    sizes = np.array([40, 80])
    value = kl_risk_exact(CUBIC, n=sizes, truth=OUTSIDE).value
    second = sizes**2 * (value - found.c1 / sizes)
    # Richardson in n leaves O(n^-2)
    assert 2 * second[1] - second[0] == pytest.approx(2.2915241766425125759, rel=0.02)


def test_independence_adds_up():
    # independent pair of binary variables: given both margins have an estimate, the risks add
    family = LogLinear([2, 2], interactions=1)
    a, b, n = 0.3, 0.6, 7
    cells = np.outer([1 - a, a], [1 - b, b]).ravel()
    theta = family.mle(cells @ family.support().statistic)
    pair = [kl_risk_exact(Bernoulli(), Bernoulli().natural(p), n) for p in (a, b)]
    found = kl_risk_exact(family, theta, n)
    assert found.value == pytest.approx(pair[0].value + pair[1].value, rel=1e-12)
    both = 1 - (1 - pair[0].prob_no_mle) * (1 - pair[1].prob_no_mle)
    assert found.prob_no_mle == pytest.approx(both, rel=1e-12)


def test_ising_is_the_log_linear_model():
    family = Ising(2)
    theta = family.natural([0.1, -0.4], [[0.0, 0.3], [0.3, 0.0]])
    found = kl_risk_exact(family, theta, 8)
    wanted = exact_cells.conditional_risk(8, family.probabilities(theta))
    assert found.value == pytest.approx(wanted.value, rel=1e-12)
    three = Ising(3, edges=[(0, 1)])
    theta = three.natural([0.2, 0.1, -0.3], 0.4)
    found = kl_risk_exact(three, theta, 5)
    # the third variable is independent of the pair
    marginal = three.probabilities(theta)
    states = np.asarray(three.support().states)
    up = states[:, 2] == states[:, 2].max()
    lone = kl_risk_exact(Bernoulli(), Bernoulli().natural(float(marginal[up].sum())), 5)
    pair = np.array(
        [
            marginal[(states[:, 0] == s) & (states[:, 1] == t)].sum()
            for s in set(states[:, 0])
            for t in set(states[:, 1])
        ]
    )
    assert found.value == pytest.approx(lone.value + exact_cells.conditional_risk(5, pair).value, rel=1e-11)


@pytest.mark.parametrize(
    ("n", "values", "probs"),
    [
        (4, [-1.0, 0.0, 2.0], [0.3, 0.45, 0.25]),
        (7, [0.0, 1.0, 5.0, -3.0], [0.1, 0.2, 0.3, 0.4]),
        (3, [0.0, 1.0], [0.1, 0.9]),
        (5, [0.0, 1.0, 2.0, 3.0, 4.0], [0.1, 0.2, 0.3, 0.25, 0.15]),
        (5, [0.0, 1e-3, 1e3], [0.5, 0.4, 0.1]),
    ],
)
def test_normal_by_brute_force(n, values, probs):
    with mp.workdps(40):
        x, p = [mp.mpf(v) for v in values], [mp.mpf(v) for v in probs]
        whole = mp.fsum(p)
        p = [v / whole for v in p]
        mu = mp.fsum(a * b for a, b in zip(x, p, strict=True))
        s2 = mp.fsum(b * (a - mu) ** 2 for a, b in zip(x, p, strict=True))
        risk = there = none = mp.mpf(0)
        for c in samples(n, len(x)):
            weight = multinomial_weight(c, p)
            if max(c) == n:
                none += weight
                continue
            m = mp.fsum(k * a for k, a in zip(c, x, strict=True)) / n
            v = mp.fsum(k * (a - m) ** 2 for k, a in zip(c, x, strict=True)) / n
            risk += weight * (mp.log(v / s2) + s2 / v - 1 + (m - mu) ** 2 / v) / 2
            there += weight
        found = normal_enumeration(n, np.array(values), np.array(probs))
        assert relative_error(found.value, risk / there) < 1e-13
        assert relative_error(found.prob_no_mle, none) < 1e-13
    assert kl_risk_exact(Normal(), n=n, truth=dict(zip(values, probs, strict=True))).value == found.value


def test_normal_under_listed_laws():
    law = stats.rv_discrete(values=([0, 1, 4], [0.2, 0.5, 0.3]))
    wanted = kl_risk_exact(Normal(), n=9, truth={0: 0.2, 1: 0.5, 4: 0.3}).value
    assert kl_risk_exact(Normal(), n=9, truth=law).value == pytest.approx(wanted, rel=1e-14)
    assert kl_risk_exact(Normal(), n=9, truth=law()).value == pytest.approx(wanted, rel=1e-14)
    binomial = kl_risk_exact(Normal(), n=9, truth=stats.binom(2, 0.4)).value
    assert binomial == pytest.approx(kl_risk_exact(Normal(), n=9, truth={0: 0.36, 1: 0.48, 2: 0.16}).value, rel=1e-13)
    # the risk is invariant under affine maps
    moved = kl_risk_exact(Normal(), n=9, truth={1e3 - 0.5: 0.36, 1e3: 0.48, 1e3 + 0.5: 0.16}).value
    assert moved == pytest.approx(binomial, rel=1e-12)
    assert kl_risk_exact(Normal(), n=1, truth=law).value == math.inf


def test_normal_against_the_series():
    # c1, c2 of the table; the rest falls as n^-3
    c1, c2 = 0.76133786848072562358, 5.1284266415056826459
    value = kl_risk_exact(Normal(), n=[200, 400], truth=THREE).value
    left = (value - c1 / np.array([200, 400]) - c2 / np.array([200, 400]) ** 2) * np.array([200, 400]) ** 3
    assert left[1] == pytest.approx(left[0], rel=0.2)


def test_other_models_one_sample_at_a_time():
    # two points under exponential laws: a binomial sum
    a, b, p, n = 1.0, 3.0, 0.4, 6
    mean = p * a + (1 - p) * b
    k = np.arange(n + 1)
    hat = (k * a + (n - k) * b) / n
    wanted = stats.binom(n, p).pmf(k) @ (np.log(hat / mean) + mean / hat - 1)
    found = kl_risk_exact(Exponential(), n=n, truth={a: p, b: 1 - p})
    assert found.value == pytest.approx(wanted, rel=1e-12)
    assert found.prob_no_mle == 0.0
    assert math.isfinite(kl_risk_exact(Exponential(), n=n, truth={a: p, b: 1 - p}, nonexistence="inf").value)


@pytest.mark.parametrize(("n", "k"), [(0, 3), (1, 1), (4, 1), (5, 2), (7, 4), (60, 4)])
def test_compositions(n, k):
    found = np.concatenate(list(compositions(n, k)))
    assert found.shape == (compositions_count(n, k), k)
    assert (found.sum(axis=1) == n).all()
    assert (found >= 0).all()
    assert np.unique(found, axis=0).shape == found.shape


def test_compositions_in_blocks():
    blocks = list(compositions(150, 4))
    assert len(blocks) > 1
    assert sum(block.shape[0] for block in blocks) == compositions_count(150, 4)


def test_many_states():
    # more states than bits in a word; two observations of a line have an estimate unless both are at one end
    family = FiniteSupport(np.arange(70.0))
    theta = np.zeros(1)
    found = kl_risk_exact(family, theta, 2)
    assert found.prob_no_mle == pytest.approx(2 / 70**2, rel=1e-12)
    states = np.arange(70)
    mean = (states[:, None] + states) / 2
    inside = (mean > 0) & (mean < 69)
    value = {m: family.divergence(theta, family.mle([m])) for m in np.unique(mean[inside])}
    assert found.value == pytest.approx(np.mean([value[m] for m in mean[inside]]), rel=1e-11)


def test_estimates_near_the_boundary():
    rng = np.random.default_rng(6)
    rows = rng.normal(size=(5, 3))
    family = FiniteSupport(rows)
    truth = np.array([0.9, 0.05, 0.03, 0.0199, 0.0001])
    risk, none = brute_force(family, family.mle(truth @ rows), 6, truth)
    found = kl_risk_exact(family, n=6, truth=truth)
    assert found.value == pytest.approx(risk, rel=1e-9)
    assert found.prob_no_mle == pytest.approx(none, rel=1e-12)


def test_systems_that_rounding_makes_singular():
    rng = np.random.default_rng(8)
    for _ in range(4):
        rows = rng.normal(size=(4, 2))
        family = FiniteSupport(rows)
        truth = np.array([0.145, 1.2e-9, 2.8e-5, 0.0])
        truth[3] = 1 - truth.sum()
        found = kl_risk_exact(family, n=7, truth=truth)
        wanted = one_by_one(7, family, family.mle(truth @ rows), rows, truth)
        assert found.value == pytest.approx(wanted.value, rel=1e-9)
        assert found.prob_no_mle == pytest.approx(wanted.prob_no_mle, rel=1e-12)

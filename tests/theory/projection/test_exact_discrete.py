"""Exact risks of discrete data: numbers of the specification, brute force, seams of the methods, conventions."""

from __future__ import annotations

import itertools
import math

import mpmath as mp
import numpy as np
import pytest
from accuracy import relative_error
from scipy import stats

from asymptopia.theory.projection import exact_cells, total_laws
from asymptopia.theory.projection.errors import MLEDoesNotExistError
from asymptopia.theory.projection.exact_discrete import bernoulli_risk, negative_binomial_divergence
from asymptopia.theory.projection.exact_risk import kl_risk_exact
from asymptopia.theory.projection.families import (
    Bernoulli,
    Exponential,
    FiniteSupport,
    Multinomial,
    NegativeBinomial,
    Normal,
    Poisson,
)
from asymptopia.theory.projection.status import ProjectionStatus

THREE = {-1.0: 0.3, 0.0: 0.45, 2.0: 0.25}
CUBIC = FiniteSupport([[0, 0], [1, 1], [2, 4], [3, 9]])
OUTSIDE = np.array([0.2, 0.35, 0.15, 0.3])


def test_numbers_of_the_specification():
    found = kl_risk_exact(Bernoulli(), Bernoulli().natural(0.5), 10)
    assert relative_error(found.value, "0.058507296869105282988") < 1e-15
    assert found.prob_no_mle == pytest.approx(0.001953125, rel=1e-14)
    found = kl_risk_exact(Poisson(), Poisson().natural(2.0), 5)
    assert relative_error(found.value, "0.11030274396512657316") < 1e-14
    assert found.prob_no_mle == pytest.approx(math.exp(-10), rel=1e-14)
    found = kl_risk_exact(Multinomial(3), Multinomial(3).natural([0.5, 0.3, 0.2]), 9)
    assert relative_error(found.value, "0.092913642113150313496") < 2e-15
    found = kl_risk_exact(Poisson(), n=30, truth=stats.nbinom(4, 4 / 6))
    assert relative_error(found.value, "0.025396693697181633267") < 1e-14
    found = kl_risk_exact(Normal(), n=[100, 800], truth=THREE)
    np.testing.assert_allclose(found.value, [0.008168183266472388, 0.0009597606789226252], rtol=3e-14)
    assert found.status is ProjectionStatus.CONDITIONAL


def samples(n, k):
    return (c for c in itertools.product(range(n + 1), repeat=k) if sum(c) == n)


def multinomial_weight(c, probs):
    log = math.factorial(sum(c))
    for count, p in zip(c, probs, strict=True):
        log = log * mp.mpf(p) ** count / math.factorial(count)
    return log


@pytest.mark.parametrize("n", [2, 3, 10, 101])
@pytest.mark.parametrize("p", [1e-12, 1e-3, 0.3, 0.5, 0.98])
def test_bernoulli_by_its_sum(n, p):
    with mp.workdps(60):
        x = mp.mpf(p)
        weights = [mp.binomial(n, t) * x**t * (1 - x) ** (n - t) for t in range(n + 1)]
        values = [0] + [x * mp.log(x * n / t) + (1 - x) * mp.log((1 - x) * n / (n - t)) for t in range(1, n)]
        inside = mp.fsum(weights[1:n])
        risk = mp.fsum(w * v for w, v in zip(weights[1:n], values[1:], strict=True)) / inside
        found = kl_risk_exact(Bernoulli(), Bernoulli().natural(p), n)
        assert relative_error(found.value, risk) < 1e-13
        assert relative_error(found.prob_no_mle, weights[0] + weights[n]) < 1e-13
        smooth = mp.fsum(
            w * (x * mp.log(x * (n + 1) / (t + mp.mpf(1) / 2)) + (1 - x) * mp.log((1 - x) * (n + 1) / (n - t + 0.5)))
            for t, w in enumerate(weights)
        )
        found = kl_risk_exact(Bernoulli(), Bernoulli().natural(p), n, nonexistence="smooth")
        assert relative_error(found.value, smooth) < 1e-12
        assert found.status is ProjectionStatus.SMOOTHED


def test_rare_event_beyond_one_half():
    # 1 - p = 1e-9 is known to all digits from theta only
    family = Bernoulli()
    near, far = kl_risk_exact(family, family.natural(1e-9), 10**9), kl_risk_exact(family, -family.natural(1e-9), 10**9)
    assert far.value == pytest.approx(near.value, rel=1e-14)


def discrete_series(name, *parameters):
    if name == "poisson":
        (lam,) = parameters
        return [0.5, 5 / (12 * lam), 3 / (4 * lam**2)]
    if name == "negative":
        q, r = parameters
        return [0.5, (5 * q * q + q + 5) / (12 * q * r)]
    p = np.array(parameters)
    k = p.size
    return [(k - 1) / 2, 5 / 12 * (1 / p).sum() - k / 2 + 1 / 12, (3 / (4 * p**2) - 5 / (4 * p) + 0.5).sum()]


@pytest.mark.parametrize(
    ("name", "parameters", "family", "theta"),
    [
        ("poisson", (2.0,), Poisson(), Poisson().natural(2.0)),
        ("poisson", (40.0,), Poisson(), Poisson().natural(40.0)),
        ("negative", (0.3, 1.5), NegativeBinomial(1.5), NegativeBinomial(1.5).natural(0.3)),
        ("cells", (0.3, 0.7), Bernoulli(), Bernoulli().natural(0.3)),
        ("cells", (0.2, 0.3, 0.5), Multinomial(3), Multinomial(3).natural([0.2, 0.3, 0.5])),
        ("cells", (0.1,) * 10, Multinomial(10), Multinomial(10).natural(np.full(10, 0.1))),
    ],
)
def test_series(name, parameters, family, theta):
    c = discrete_series(name, *parameters)
    for n in (1000, 10**5, 10**8):
        value = kl_risk_exact(family, theta, n).value
        following = c[-1] * max(1.0, c[-1] / c[-2])
        left = value - sum(item / n ** (k + 1) for k, item in enumerate(c))
        assert abs(left) < 3 * following / n ** (len(c) + 1) + 1e-14 * value


def test_stride_of_large_totals():
    # every integer against every h-th
    for law, n, mean in (
        (total_laws.poisson(90000.0), 30000, 3.0),
        (total_laws.negative_binomial(3000.0, 20000.0), 1000, 20.0),
        (total_laws.binomial(400000, 0.3), 400000, 0.3),
    ):
        results = []
        for smooth in (True, False):
            found = total_laws.nodes(law._replace(smooth=smooth), 1.0)
            u = (found.x - n * mean) / (n * mean)
            weight = found.weight / found.weight.sum()
            results.append(float(weight @ (u - np.log1p(u))))
            assert np.exp(found.log_scale) * found.weight.sum() == pytest.approx(1.0, rel=1e-11)
        assert results[0] == pytest.approx(results[1], rel=1e-11)
        assert law.smooth


def test_total_laws_in_multiple_precision():
    with mp.workdps(50):
        for mean in (1e-3, 3.0, 500.0, 1e9):
            for x in {0, 1, int(mean), int(mean + 3 * math.sqrt(mean)) + 1}:
                wanted = x * mp.log(mean) - mean - mp.loggamma(x + 1)
                assert abs(total_laws.poisson_log_pmf(x, mean) - wanted) < 2e-14 * max(1, abs(wanted))
        for size, mean in ((0.01, 3.0), (2.5, 1e4), (1e6, 1e6)):
            law = total_laws.negative_binomial(size, mean)
            for x in {0, 1, 7, int(mean)}:
                q, r = mp.mpf(mean) / (mp.mpf(size) + mean), mp.mpf(size)
                wanted = mp.loggamma(x + r) - mp.loggamma(r) - mp.loggamma(x + 1) + r * mp.log(1 - q) + x * mp.log(q)
                assert abs(law.log_pmf(np.array([float(x)]))[0] - wanted) < 2e-14 * max(1, abs(wanted))


@pytest.mark.parametrize(("size", "mean"), [(4.0, 2.0), (1e-6, 1.0), (0.01, 3.0), (1e6, 1.0), (0.4, 1.0)])
def test_divergence_of_negative_binomial_laws(size, mean):
    u = np.array([-1 + 1e-9, -0.9, -0.51, -0.49, -1e-3, -1e-8, 1e-8, 0.3, 0.6, 50.0])
    with mp.workdps(60):
        found = negative_binomial_divergence(size, mean)(u, 1.0 + u)
        for value, at in zip(found, u, strict=True):
            m, r = mp.mpf(mean), mp.mpf(size)
            hat = m * (1 + mp.mpf(at))
            wanted = m * mp.log(m / hat) - (m + r) * mp.log((m + r) / (hat + r))
            assert relative_error(value, wanted) < 1e-14 * max(1.0, 2 * mean / size if abs(at) > 0.5 else 1.0)


def test_poisson_under_laws_of_counts():
    # two ways to the same law: by name and as a table
    table = kl_risk_exact(Poisson(), n=12, truth={0: 0.36, 1: 0.48, 2: 0.16})
    named = kl_risk_exact(Poisson(), n=12, truth=stats.binom(2, 0.4))
    assert table.value == pytest.approx(named.value, rel=1e-13)
    assert table.prob_no_mle == pytest.approx(0.6**24, rel=1e-13)
    # geometric on 1, 2, ...: never without an estimate, and its total is 12 + a negative binomial
    found = kl_risk_exact(Poisson(), n=12, truth=stats.geom(0.3))
    total = np.arange(0, 900)
    u = (total + 12 - 40) / 40
    wanted = stats.nbinom(12, 0.3).pmf(total) @ (10 / 3 * (u - np.log1p(u)))
    assert found.value == pytest.approx(wanted, rel=1e-12)
    assert found.prob_no_mle == 0.0
    assert found.status is ProjectionStatus.OK
    assert math.isfinite(kl_risk_exact(Poisson(), n=12, truth=stats.geom(0.3), nonexistence="inf").value)
    # coefficients of the table: V/(2l), -m3/(3 l^2) + 3 V^2/(4 l^3)
    lam, var, third = 0.8, 0.48, 0.48 * 0.2
    for n in (200, 3000):
        value = kl_risk_exact(Poisson(), n=n, truth={0: 0.36, 1: 0.48, 2: 0.16}).value
        second = -third / (3 * lam**2) + 3 * var**2 / (4 * lam**3)
        assert value - var / (2 * lam * n) == pytest.approx(second / n**2, rel=5 / n)


def test_smoothed_counts():
    lam, n, c = 0.7, 6, 0.25
    total = np.arange(0, 120)
    hat = (total + c) / n
    wanted = stats.poisson(n * lam).pmf(total) @ (lam * np.log(lam / hat) + hat - lam)
    found = kl_risk_exact(Poisson(), Poisson().natural(lam), n, nonexistence="smooth", smoothing=c)
    assert found.value == pytest.approx(wanted, rel=1e-12)
    assert found.smoothing == c
    family = NegativeBinomial(2.0)
    theta = family.natural(0.4)
    m = float(family.mean(theta)[0])
    total = np.arange(0, 400)
    hat = (total + c) / n
    wanted = stats.nbinom(2 * n, 0.6).pmf(total) @ (m * np.log(m / hat) - (m + 2) * np.log((m + 2) / (hat + 2)))
    found = kl_risk_exact(family, theta, n, nonexistence="smooth", smoothing=c)
    assert found.value == pytest.approx(wanted, rel=1e-12)


def inclusion_exclusion(n, probs):
    """Conditional risk and probability of an empty cell, with every subset of cells, in 200 digits."""
    probs = [mp.mpf(p) for p in probs]
    whole, k = mp.fsum(probs), len(probs)
    hit, risk = mp.mpf(0), mp.mpf(0)
    for chosen in itertools.product((0, 1), repeat=k):
        hit += (-1) ** sum(chosen) * (whole - mp.fsum(p for p, c in zip(probs, chosen, strict=True) if c)) ** n
    for i, p in enumerate(probs):
        others = probs[:i] + probs[i + 1 :]
        for chosen in itertools.product((0, 1), repeat=k - 1):
            left = mp.fsum(q for q, c in zip(others, chosen, strict=True) if not c)
            if not any(c == 0 for c in chosen):
                left = mp.mpf(0)
            for j in range(1, n + 1):
                risk += (-1) ** sum(chosen) * mp.binomial(n, j) * p**j * left ** (n - j) * p * mp.log(p * n / j)
    return risk / hit, 1 - hit / whole**n


@pytest.mark.parametrize(
    ("n", "probs"),
    [
        (3, [0.5, 0.3, 0.2]),
        (5, [0.25] * 4),
        (6, [0.1, 0.2, 0.3, 0.15, 0.25]),
        (40, [0.01, 0.09, 0.9]),
        (12, [1e-9, 1e-5, 1 - 1e-5 - 1e-9]),
        (60, [0.2, 0.3, 0.5]),
        (20, [1e-60, 0.4, 0.6]),
    ],
)
def test_cells_by_inclusion_and_exclusion(n, probs):
    with mp.workdps(200):
        risk, missing = inclusion_exclusion(n, probs)
        found = exact_cells.conditional_risk(n, np.array(probs))
        assert relative_error(found.value, risk) < 1e-13
        assert relative_error(found.prob_no_mle, missing) < 1e-13


def test_cells_taken_together(monkeypatch):
    cases = [
        (1000, [0.01, 0.05, 0.34, 0.6]),
        (2000, [0.001, 0.999]),
        (3000, [0.001, 0.002, 0.3, 0.697]),
        (900, [0.05, 0.3, 0.65]),
        (1200, [1e-8, 0.1, 0.2, 0.3, 0.4 - 1e-8]),
    ]
    together = [exact_cells.conditional_risk(n, np.array(p)) for n, p in cases]
    monkeypatch.setattr(exact_cells, "_PER_CELL", 10**9)
    for (n, p), found in zip(cases, together, strict=True):
        one = exact_cells.conditional_risk(n, np.array(p))
        assert found.value == pytest.approx(one.value, rel=1e-13)
        assert found.prob_no_mle == pytest.approx(one.prob_no_mle, rel=1e-13)


def test_many_cells_and_large_samples():
    probs = np.full(300, 1 / 300)
    found = exact_cells.conditional_risk(5000, probs)
    with mp.workdps(60):
        hit = mp.fsum((-1) ** j * mp.binomial(300, j) * (1 - mp.mpf(j) / 300) ** 5000 for j in range(300))
        assert relative_error(found.prob_no_mle, 1 - hit) < 1e-12
    # given no empty cell, cells are alike: the mean is that of one cell by inclusion and exclusion over the others
    found = exact_cells.conditional_risk(10**8, np.array([1e-7, 1e-3, 0.999 - 1e-7]))
    lone = bernoulli_risk(10**8, 1e-7, 1 - 1e-7)
    assert found.value == pytest.approx(lone.value + 0.5e-8, rel=1e-3)
    assert found.prob_no_mle == pytest.approx(lone.prob_no_mle, rel=1e-12)


def test_multinomial_conventions():
    family = Multinomial(3)
    probs = [0.5, 0.3, 0.2]
    theta = family.natural(probs)
    found = kl_risk_exact(family, theta, [2, 3, 9])
    assert found.value[0] == math.inf
    assert found.prob_no_mle[0] == 1.0
    assert found.status is ProjectionStatus.INFINITE_RISK
    assert kl_risk_exact(family, theta, 9, nonexistence="inf").value == math.inf
    n, c = 6, 0.5
    wanted = mp.fsum(
        multinomial_weight(x, probs)
        * mp.fsum(p * mp.log(p * (n + 3 * c) / (count + c)) for p, count in zip(probs, x, strict=True))
        for x in samples(n, 3)
    )
    found = kl_risk_exact(family, theta, n, nonexistence="smooth")
    assert found.value == pytest.approx(float(wanted), rel=1e-13)
    assert found.prob_no_mle == pytest.approx(kl_risk_exact(family, theta, n).prob_no_mle, rel=1e-13)
    # a saturated family of another statistic is the same model
    other = FiniteSupport([[1.0, 0.2], [2.0, -1.0], [4.0, 0.7]])
    assert kl_risk_exact(other, n=6, truth=probs).value == pytest.approx(
        kl_risk_exact(family, theta, 6).value, rel=1e-12
    )
    assert kl_risk_exact(other, n=6, truth=probs).method == "dynamic programming over the cells"
    two = Multinomial(2)
    assert kl_risk_exact(two, two.natural([0.3, 0.7]), 11).value == pytest.approx(
        kl_risk_exact(Bernoulli(), Bernoulli().natural(0.3), 11).value, rel=1e-13
    )


@pytest.mark.parametrize(
    ("call", "error", "match"),
    [
        (
            lambda: kl_risk_exact(Normal(), n=5000, truth={0: 0.2, 1: 0.3, 2: 0.2, 3: 0.3}),
            ValueError,
            "samples of size",
        ),
        (lambda: kl_risk_exact(CUBIC, n=500, truth=OUTSIDE), ValueError, "expected at most 2000000"),
        (lambda: kl_risk_exact(Exponential(), n=500, truth={1.0: 0.2, 2.0: 0.5, 3.0: 0.3}), ValueError, "20000"),
        (lambda: kl_risk_exact(Poisson(), n=5, truth={0: 1.0}), MLEDoesNotExistError, "mean_stat"),
        (lambda: kl_risk_exact(Poisson(), n=5, truth={-1: 0.5, 1: 0.5}), ValueError, "x"),
        (lambda: kl_risk_exact(Poisson(), n=5, truth=stats.norm(3, 1)), ValueError, "no exact risk is known"),
        (lambda: kl_risk_exact(Poisson(), n=5, truth=stats.poisson(3, loc=-1)), ValueError, "whole numbers >= 0"),
        (lambda: kl_risk_exact(Poisson(), n=5, truth=stats.zipf(2.5)), ValueError, "the tail is too heavy"),
        (
            lambda: kl_risk_exact(Poisson(), Poisson().natural(1.0), 5, nonexistence="smooth", smoothing=0.0),
            ValueError,
            "smoothing is 0",
        ),
        (
            lambda: kl_risk_exact(Poisson(), Poisson().natural(3.0), 5, truth=stats.poisson(2)),
            ValueError,
            "theta is not the projection of truth",
        ),
        (lambda: kl_risk_exact(Multinomial(3), n=5), ValueError, "depends on its parameter"),
        (lambda: kl_risk_exact(Multinomial(3), n=5, truth=[0.5, 0.3, 0.1]), ValueError, "truth.sum"),
    ],
)
def test_bad_input(call, error, match):
    with pytest.raises(error, match=match):
        call()


@pytest.mark.parametrize("smoothing", [0.5, 1e-8, 1e-16, 1e-200])
def test_small_pseudo_counts_keep_their_digits(smoothing: float) -> None:
    # the estimated share of an empty cell is all that is left of 1 + u
    n, c = 10, mp.mpf(smoothing)
    family = Multinomial(3)
    theta = family.natural([0.5, 0.3, 0.2])
    with mp.workdps(30):
        p = [mp.mpf(float(x)) for x in family.probabilities(theta)]
        exact = mp.fsum(
            mp.factorial(n)
            / mp.fprod(mp.factorial(k) for k in counts)
            * mp.fprod(x**k for x, k in zip(p, counts, strict=True))
            * mp.fsum(x * mp.log(x * (n + 3 * c) / (k + c)) for x, k in zip(p, counts, strict=True))
            for i in range(n + 1)
            for j in range(n + 1 - i)
            for counts in [(i, j, n - i - j)]
        )
    found = kl_risk_exact(family, theta, n=n, nonexistence="smooth", smoothing=smoothing)
    assert found.value == pytest.approx(float(exact), rel=1e-13)
    poisson = Poisson()
    with mp.workdps(30):
        lam = mp.mpf(0.3)
        exact = mp.fsum(
            mp.exp(-n * lam) * (n * lam) ** k / mp.factorial(k) * (lam * mp.log(lam * n / (k + c)) - lam + (k + c) / n)
            for k in range(60)
        )
    found = kl_risk_exact(poisson, poisson.natural(0.3), n=n, nonexistence="smooth", smoothing=smoothing)
    assert found.value == pytest.approx(float(exact), rel=1e-13)

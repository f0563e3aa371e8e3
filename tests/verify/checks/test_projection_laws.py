"""What the checks of the MLE's risk predict besides the library's values, against brute force and simulation."""

from __future__ import annotations

import math
from itertools import product

import numpy as np
import pytest
from scipy import optimize, stats

from asymptopia.verify.checks import projection_cases as cases
from asymptopia.verify.checks import projection_cases_sample as samples
from asymptopia.verify.checks import projection_cases_solve as solve
from asymptopia.verify.checks import projection_laws as laws


def test_mass_of_all_compositions() -> None:
    probs = np.array([0.5, 0.3, 0.2])
    counts = laws.compositions(7)
    assert counts.shape == (36, 3)
    expected = stats.multinomial(7, probs).pmf(counts)
    assert laws.multinomial_mass(counts, probs) == pytest.approx(expected, rel=1e-12)
    both = laws.multinomial_mass(counts, np.array([probs, [0.1, 0.9, 0.0]]))
    assert both[0] == pytest.approx(expected, rel=1e-12)
    assert both.sum(axis=1) == pytest.approx(1.0, abs=1e-12)


def test_moments_of_a_gamma_law() -> None:
    law = stats.gamma(4.0)
    found = laws.Moments.of_gamma(4.0)
    standard = [float(law.expect(lambda x, k=k: ((x - 4) / 2) ** k)) for k in (3, 4, 6)]
    assert found == pytest.approx((4.0, 2.0, *standard), rel=1e-7)


def test_enumeration_of_the_three_point_truth() -> None:
    found = laws.normal_from_three(samples.VALUES, samples.PROBS, 100)
    assert found.risk == pytest.approx(0.008168183266472388, rel=1e-12)
    # n times the bias of t0 at n = 100, as published with the formula
    assert 100 * (found.t0 - 1.52267573696145) == pytest.approx(4.928, abs=2e-3)
    n, law = 5, laws.normal_from_three(samples.VALUES, samples.PROBS, 5)
    total = mass = 0.0
    for draw in product(range(3), repeat=n):
        x = np.array(samples.VALUES)[list(draw)]
        if np.ptp(x) > 0:
            weight = math.prod(samples.PROBS[k] for k in draw)
            m = x.mean()
            variance = float(np.array(samples.PROBS) @ (np.array(samples.VALUES) - 0.2) ** 2)
            risk = 0.5 * (math.log(x.var() / variance) + (variance + (m - 0.2) ** 2) / x.var() - 1)
            total, mass = total + weight * risk, mass + weight
    assert law.risk == pytest.approx(total / mass, rel=1e-12)


@pytest.mark.parametrize("shape", [1.0, 2.0])
def test_means_of_estimates_from_exponentials(shape: float) -> None:
    n, rng = 40, np.random.default_rng(1)
    x = rng.gamma(shape, size=(200_000, n))
    mean, variance = x.mean(axis=1), x.var(axis=1, ddof=1)
    third = ((x - mean[:, None]) ** 3).sum(axis=1) * n / ((n - 1) * (n - 2))
    t0 = variance / mean**2
    risk = n * t0 / 2 + third / mean**3 / 3 + 3 * t0**2 / 4
    expected = laws.exponential_from_gamma(shape, n)
    for value, theory in zip((t0, risk), expected, strict=True):
        assert abs(value.mean() - theory) < 5 * value.std() / math.sqrt(value.size)


def test_coverage_of_the_bootstrap() -> None:
    probs, n, resamples = (0.35, 0.4, 0.25), 40, 40
    rng = np.random.default_rng(2)

    def coefficient(counts: np.ndarray) -> np.ndarray:
        values = np.arange(3.0)
        mean = counts @ values / n
        away = values - mean[..., None]
        variance, third = (((counts * away**k).sum(axis=-1)) for k in (2, 3))
        variance, third = variance / (n - 1), third * n / ((n - 1) * (n - 2))
        return np.asarray(-third / (3 * mean**2) + 3 * variance**2 / (4 * mean**3))

    counts = rng.multinomial(n, probs, size=20_000)
    again = rng.multinomial(n, counts[:, None, :] / n, size=(20_000, resamples))
    errors = coefficient(again).std(axis=1, ddof=1)
    truth = 0.3260288065843622
    covered = np.abs(coefficient(counts) - truth) <= 1.959963984540054 * errors
    expected = laws.bootstrap_coverage(probs, n, resamples, 1.959963984540054)
    assert float(covered.mean()) == pytest.approx(expected, abs=0.006)


@pytest.mark.parametrize(("prior", "error"), [(0.5, 0.05), (0.5, 0.45), (0.3, 0.2), (0.7, 0.2)])
def test_share_of_the_best_pair(prior: float, error: float) -> None:
    def divergence(share: float) -> float:
        return laws.binary((prior - error + error * share) / prior, error * share / (1 - prior))

    best = optimize.minimize_scalar(divergence, bounds=(1e-9, 1 - 1e-9), method="bounded", options={"xatol": 1e-12})
    found = laws.best_share(prior, error)
    assert found == pytest.approx(best.x, abs=1e-6)
    assert divergence(found) <= best.fun + 1e-15


@pytest.mark.parametrize("parity", [0.0, 0.2])
def test_three_spins(parity: float) -> None:
    family, item = solve.spins(parity)
    statistic = np.asarray(family.support().statistic)
    theta = family.mle(item.truth @ statistic)
    assert item.projection == pytest.approx(family.probabilities(theta), abs=1e-10)
    n = 4
    missing = empty = 0.0
    for counts in product(range(n + 1), repeat=8):
        if sum(counts) == n:
            row = np.array(counts)
            weight = float(stats.multinomial(n, item.truth).pmf(row))
            up, down = row[item.signs > 0].min(), row[item.signs < 0].min()
            missing += weight * (up == 0 and down == 0)
            empty += weight * (min(up, down) == 0)
    assert item.no_estimate(n) == pytest.approx(missing, rel=1e-9)
    assert item.empty(n) == pytest.approx(empty, rel=1e-9)


def test_exact_optimism_is_twice_the_risk_in_the_limit() -> None:
    for law in (cases.normal_law(), cases.gamma_law(4.0), cases.inverse_gaussian_law(0.5), cases.multivariate_law(3)):
        found = law.expansion()
        n = 10**5
        assert n * law.optimism(n) == pytest.approx(found.optimism1 + found.optimism2 / n, rel=1e-8)

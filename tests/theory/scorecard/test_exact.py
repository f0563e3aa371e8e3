"""Exact finite-size moments against enumeration, and the expansions against the exact values."""

from __future__ import annotations

import itertools
import math

import mpmath as mp
import numpy as np
import pytest

from asymptopia.theory.scorecard.cumulants import second_order_cumulants
from asymptopia.theory.scorecard.exact import binomial_law, exact_log_count, exact_log_count_covariance, exact_mean
from asymptopia.theory.scorecard.moments import independent_moments
from asymptopia.theory.scorecard.shares import Shares


def multinomial(n: int, p: list[float]) -> list[tuple[tuple[int, ...], float]]:
    """Every table of a small multinomial with its probability."""
    found = []
    for head in itertools.product(range(n + 1), repeat=len(p) - 1):
        if sum(head) <= n:
            x = (*head, n - sum(head))
            weight = math.factorial(n) * math.prod(s**k / math.factorial(k) for s, k in zip(p, x, strict=True))
            found.append((x, weight))
    return found


def jeffreys(p: list[float], q: list[float]) -> float:
    return sum((s - t) * math.log(s / t) for s, t in zip(p, q, strict=True))


def test_mean_known_value() -> None:
    # by complete enumeration at 50 digits
    assert exact_mean([0.5, 0.3, 0.2], [0.4, 0.4, 0.2], 6, 5) == pytest.approx(0.541289454479258944, rel=1e-14)


@pytest.mark.parametrize("a", [0.5, 1.0])
@pytest.mark.parametrize("known", [False, True])
def test_mean_equals_enumeration(a: float, known: bool) -> None:
    p, q, n, m = [0.6, 0.25, 0.15], [0.3, 0.3, 0.4], 7, 5
    total = 0.0
    for x, wx in multinomial(n, p):
        share = [(k + a) / (n + 3 * a) for k in x]
        if known:
            total += wx * jeffreys(share, q)
            continue
        for y, wy in multinomial(m, q):
            total += wx * wy * jeffreys(share, [(k + a) / (m + 3 * a) for k in y])
    assert exact_mean(p, q, n, math.inf if known else m, a) == pytest.approx(total, rel=1e-13)


def test_mean_without_smoothing_is_given_that_no_cell_is_empty() -> None:
    # two cells: the second count is n minus the first, so the condition can be enumerated by cell
    p, n = 0.4, 6
    law = {k: math.comb(n, k) * p**k * (1 - p) ** (n - k) for k in range(n + 1)}

    q = 0.5
    total = 0.0
    for weights in (law, {n - k: w for k, w in law.items()}):
        kept = {k: w for k, w in weights.items() if k > 0}
        size = sum(kept.values())
        total += sum(w / size * (k / n - q) * math.log(k / n / q) for k, w in kept.items())
    assert exact_mean([p, 1 - p], [q, q], n, math.inf, 0.0) == pytest.approx(total, rel=1e-13)


@pytest.mark.parametrize(("n", "p"), [(10, 0.5), (1, 0.3), (5000, 0.001), (200_000, 0.37), (10**6, 0.999)])
def test_binomial_law_has_its_moments(n: int, p: float) -> None:
    k, weight = binomial_law(n, p)
    assert weight.sum() == pytest.approx(1.0, abs=1e-14)
    mean = float(weight @ k)
    assert mean == pytest.approx(n * p, rel=1e-12)
    assert float(weight @ (k - mean) ** 2) == pytest.approx(n * p * (1 - p), rel=1e-10)
    with mp.workdps(40):
        at = int(k[k.size // 3])
        exact = mp.binomial(n, at) * mp.mpf(p) ** at * (1 - mp.mpf(p)) ** (n - at)
    assert weight[k.size // 3] == pytest.approx(float(exact), rel=1e-9)


def test_log_count_moments_equal_enumeration() -> None:
    n, a, p = 8, 0.5, [0.5, 0.3, 0.2]
    tables = multinomial(n, p)
    logs = np.array([[math.log(k + a) for k in x] for x, _ in tables])
    weight = np.array([w for _, w in tables])
    mean = weight @ logs
    covariance = (logs - mean).T @ (weight[:, None] * (logs - mean))
    for i in range(3):
        found = exact_log_count(n, p[i], a)
        assert found[0] == pytest.approx(mean[i], rel=1e-13)
        assert found[1] == pytest.approx(covariance[i, i], rel=1e-13)
    assert exact_log_count_covariance(n, p[0], p[1], a) == pytest.approx(covariance[0, 1], rel=1e-12)
    assert exact_log_count_covariance(n, p[2], p[0], a) == pytest.approx(covariance[0, 2], rel=1e-12)


SHARES = Shares(*(np.array(row) for row in ([0.5, 0.3, 0.2], [0.35, 0.3, 0.35], [0.15, 0.0, -0.15])))


@pytest.mark.parametrize("a", [0.0, 0.5, 2.0])
@pytest.mark.parametrize("known", [False, True])
def test_first_order_bias_is_exact_to_second_order(a: float, known: bool) -> None:
    def remainder(n: int) -> float:
        m = math.inf if known else n / 2
        exact = exact_mean(SHARES.p, SHARES.q, n, m if known else int(m), a)
        moments = independent_moments(SHARES, n, m, a)
        return float(exact - moments.divergence - moments.bias)

    # an error in the 1/n term would make the remainder fall by 4 and not by 16
    assert remainder(4000) / remainder(16000) == pytest.approx(16, rel=0.02)


def test_cumulants_known_values() -> None:
    # 50-digit values for the counts of the German checking-account status
    x, y = np.array([139.0, 49, 164, 348]), np.array([135.0, 14, 105, 46])
    p, q = x / x.sum(), y / y.sum()
    found = second_order_cumulants(Shares(p, q, p - q), 700, 300)
    assert found.bias == pytest.approx(0.0178990026602358011, rel=1e-13)
    assert found.variance == pytest.approx(0.0133085416119677256, rel=1e-13)
    assert found.third == pytest.approx(0.000542128591348435883, rel=1e-13)


def test_second_order_variance_is_nearer_than_the_first() -> None:
    from finite_sample import exact_smoothed_variance

    exact = exact_smoothed_variance(SHARES.p, SHARES.q, 600, 400, 0.5)
    first = float(independent_moments(SHARES, 600, 400, 0.5).variance)
    second = second_order_cumulants(SHARES, 600, 400).variance
    assert abs(second / exact - 1) < 0.5 * abs(first / exact - 1) + 0.01
    assert abs(second / exact - 1) < 0.02


def test_two_implementations_of_the_exact_mean_agree() -> None:
    from finite_sample import exact_smoothed_mean

    for n, m in ((30, 20), (2000, 500)):
        mine = exact_mean(SHARES.p, SHARES.q, n, m, 0.5)
        assert mine == pytest.approx(exact_smoothed_mean(SHARES.p, SHARES.q, n, m, 0.5), rel=1e-10)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([0.5, 0.5], [1.0, 0.0], 5, 5), "q is"),
        (([0.5, 0.5], [0.2, 0.3, 0.5], 5, 5), "p has shape"),
        (([0.5, 0.5], [0.5, 0.5], 0, 5), "n is 0"),
        (([0.5, 0.5], [0.5, 0.5], 5, 0), "m is 0"),
        (([0.5, 0.5], [0.5, 0.5], 5, 5, -1.0), "a is -1"),
    ],
)
def test_bad_arguments(arguments: tuple[object, ...], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        exact_mean(*arguments)

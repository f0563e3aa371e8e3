"""Tests of equal shares: exact fractions, brute force, levels, Monte Carlo, and the test of stability."""

from __future__ import annotations

import math
import time
from fractions import Fraction
from itertools import product

import numpy as np
import pytest
from scipy import stats

from asymptopia.theory._core.result import Result
from asymptopia.theory.scorecard import ScorecardStatus, psi
from asymptopia.theory.scorecard.conditional_tables import count_tables
from asymptopia.theory.scorecard.homogeneity import STATISTICS, homogeneity_test, psi_equivalence_test

CHECKING = [139, 49, 164, 348], [135, 14, 105, 46]


def value_of(name, x, y, a=0.5):
    """The statistics in their textbook form."""
    x, y = np.asarray(x, float), np.asarray(y, float)
    n, m = x.sum(), y.sum()
    if name == "jeffreys":
        p, q = (x + a) / (n + a * x.size), (y + a) / (m + a * x.size)
        return n * m / (n + m) * ((p - q) * np.log(p / q)).sum()
    table = np.array([x, y])
    expected = table.sum(axis=0) * table.sum(axis=1)[:, None] / table.sum()
    if name == "pearson":
        return ((table - expected) ** 2 / expected).sum()
    return 2 * np.where(table > 0, table * np.log(np.where(table > 0, table, 1) / expected), 0).sum()


def tables_with(sizes, n):
    return [x for x in product(*(range(size + 1) for size in sizes)) if sum(x) == n]


def brute_force(name, x, y):
    sizes = [s + t for s, t in zip(x, y, strict=True)]
    observed = value_of(name, x, y)
    reached = 0
    for other in tables_with(sizes, sum(x)):
        if value_of(name, other, np.subtract(sizes, other)) >= observed * (1 - 1e-11):
            reached += math.prod(math.comb(size, k) for size, k in zip(sizes, other, strict=True))
    return Fraction(reached, math.comb(sum(sizes), sum(x)))


def test_exact_fraction_of_the_specification():
    result = homogeneity_test([8, 3, 1], [2, 4, 6])
    assert result.method == "exact"
    assert result.pvalue == pytest.approx(5309 / 193154, rel=4e-15)
    assert result.log_pvalue == pytest.approx(math.log(5309 / 193154), rel=4e-15)
    assert result.tables == 58
    assert result.status is ScorecardStatus.OK


@pytest.mark.parametrize("name", STATISTICS)
@pytest.mark.parametrize(
    ("x", "y"),
    [
        ([8, 3, 1], [2, 4, 6]),
        ([5, 0, 1, 2], [0, 3, 4, 1]),
        ([1, 2], [9, 4]),
        ([3, 3, 3], [3, 3, 3]),
        ([12, 0, 1, 1, 0], [1, 3, 2, 0, 2]),
        ([0, 0, 6], [2, 7, 1]),
    ],
)
def test_exact_by_brute_force(name, x, y):
    result = homogeneity_test(x, y, statistic=name, method="exact")
    assert result.statistic == pytest.approx(value_of(name, x, y), rel=1e-13, abs=1e-13)
    assert result.pvalue == pytest.approx(float(brute_force(name, x, y)), rel=2e-14)
    swapped = homogeneity_test(y, x, statistic=name, method="exact")
    assert swapped.pvalue == pytest.approx(result.pvalue, rel=1e-13)
    assert swapped.tables == result.tables == len(tables_with(np.add(x, y), sum(x)))


def test_two_bins_are_fishers_test():
    for x, y in (([3, 9], [8, 2]), ([200, 5], [180, 19])):
        # the hypergeometric order and Pearson's agree where both samples are equally large
        both = homogeneity_test(x, y, statistic="pearson", method="exact").pvalue
        law = stats.hypergeom(sum(x) + sum(y), x[0] + y[0], sum(x))
        k = np.arange(max(0, x[0] + y[0] - sum(y)), min(sum(x), x[0] + y[0]) + 1)
        centre = (x[0] + y[0]) * sum(x) / (sum(x) + sum(y))
        wanted = law.pmf(k)[np.abs(k - centre) >= abs(x[0] - centre) - 1e-9].sum()
        assert both == pytest.approx(wanted, rel=1e-11)


def test_exact_far_in_the_tail_and_at_large_sizes():
    # one table of comb(2000, 1000) in each direction
    far = homogeneity_test([1000, 0], [0, 1000], method="exact")
    wanted = math.log(2) - (math.lgamma(2001) - 2 * math.lgamma(1001))
    assert far.log_pvalue == pytest.approx(wanted, rel=1e-13)
    assert far.pvalue == 0.0
    # 3 of 3 draws without replacement from 1e9 and 1e9 + 3
    big = homogeneity_test([3, 10**9], [0, 10**9], method="exact")
    half, size = 10**9 + 3, 2 * 10**9 + 3
    ways = Fraction(half * (half - 1) * (half - 2), size * (size - 1) * (size - 2))
    other = half - 3
    ways += Fraction(other * (other - 1) * (other - 2), size * (size - 1) * (size - 2))
    assert big.pvalue == pytest.approx(float(ways), rel=1e-13)


@pytest.mark.parametrize("name", STATISTICS)
def test_exact_level_is_kept(name):
    """Size of the test with 10 + 10 observations in three bins, over all pairs of samples."""
    samples = [(a, b, 10 - a - b) for a in range(11) for b in range(11 - a)]
    found = {}
    for x in samples:
        for y in samples:
            if min(np.add(x, y)) > 0:
                key = tuple(sorted(zip(np.add(x, y).tolist(), x, strict=True)))
                if key not in found:
                    found[key] = homogeneity_test(x, y, statistic=name, method="exact").pvalue
    for shares in ((1 / 3, 1 / 3, 1 / 3), (0.6, 0.3, 0.1)):
        weight = {x: stats.multinomial.pmf(x, 10, shares) for x in samples}
        for alpha in (0.01, 0.05, 0.2):
            size = sum(
                weight[x] * weight[y]
                for x in samples
                for y in samples
                if min(np.add(x, y)) > 0 and found[tuple(sorted(zip(np.add(x, y).tolist(), x, strict=True)))] <= alpha
            )
            assert 0 < size <= alpha


def test_asymptotic_sizes():
    """Sizes at a nominal 5 % of two samples of 50 in 10 bins, within five standard errors of 1500 replicates."""
    rng = np.random.default_rng(7)
    x, y = rng.multinomial(50, [0.1] * 10, 1500), rng.multinomial(50, [0.1] * 10, 1500)
    for name, size in (("jeffreys", 0.035), ("pearson", 0.044), ("g", 0.076)):
        rejected = 0
        for s, t in zip(x, y, strict=True):
            used = s + t > 0
            rejected += stats.chi2.sf(value_of(name, s[used], t[used]), used.sum() - 1) < 0.05
        assert rejected / 1500 == pytest.approx(size, abs=0.03)
        for s, t in zip(x[:20], y[:20], strict=True):
            used = s + t > 0
            found = homogeneity_test(s, t, statistic=name, method="asymptotic").pvalue
            assert found == pytest.approx(stats.chi2.sf(value_of(name, s[used], t[used]), used.sum() - 1), rel=1e-12)


def test_asymptotic():
    result = homogeneity_test(*CHECKING)
    assert (result.method, result.dof, result.status) == ("asymptotic", 3, ScorecardStatus.OK)
    assert result.statistic == pytest.approx(210 * 0.659055988014830161, rel=1e-14)
    pearson = homogeneity_test(*CHECKING, statistic="pearson")
    wanted = stats.chi2_contingency(np.array(CHECKING), correction=False)
    assert (pearson.statistic, pearson.pvalue) == pytest.approx((wanted.statistic, wanted.pvalue), rel=1e-12)
    g = homogeneity_test(*CHECKING, statistic="g")
    wanted = stats.chi2_contingency(np.array(CHECKING), correction=False, lambda_="log-likelihood")
    assert (g.statistic, g.pvalue) == pytest.approx((wanted.statistic, wanted.pvalue), rel=1e-11)
    assert g.smoothing is None
    few = homogeneity_test([8, 3, 1], [2, 4, 6], method="asymptotic")
    assert few.status is ScorecardStatus.CHI2_SPARSE
    # the difference of close samples keeps its digits
    x, y = [10**12 + 10**6, 10**12, 10**12 - 10**6], [10**12] * 3
    assert homogeneity_test(x, y, statistic="pearson").statistic == pytest.approx(1.0, rel=1e-12)
    assert homogeneity_test(x, y, statistic="g").statistic == pytest.approx(1.0, rel=1e-11)


def test_monte_carlo_is_near_the_exact():
    x, y = [9, 3, 1, 4, 2], [2, 4, 6, 5, 1]
    for name in STATISTICS:
        exact = homogeneity_test(x, y, statistic=name, method="exact").pvalue
        drawn = homogeneity_test(x, y, statistic=name, method="monte-carlo", rng=3)
        assert drawn.pvalue_se == pytest.approx(math.sqrt(drawn.pvalue * (1 - drawn.pvalue) / 10_000))
        assert drawn.pvalue == pytest.approx(exact, abs=5 * drawn.pvalue_se)
        assert drawn.repeats == 9999
        assert homogeneity_test(x, y, statistic=name, method="monte-carlo", rng=3).pvalue == drawn.pvalue
    assert homogeneity_test(*CHECKING, method="monte-carlo", repeats=99, rng=1).pvalue == pytest.approx(0.01, rel=1e-14)


def test_monte_carlo_in_blocks(monkeypatch):
    monkeypatch.setattr("asymptopia.theory.scorecard.homogeneity._BLOCK_CELLS", 64)
    result = homogeneity_test([9, 3, 1], [2, 4, 6], method="monte-carlo", repeats=1000, rng=3)
    exact = homogeneity_test([9, 3, 1], [2, 4, 6], method="exact").pvalue
    assert result.pvalue == pytest.approx(exact, abs=5 * result.pvalue_se)


def test_automatic_choice():
    rng = np.random.default_rng(2)
    assert homogeneity_test([50, 60], [5, 6]).method == "asymptotic"
    assert homogeneity_test([50, 60], [4, 5]).method == "exact"
    many = homogeneity_test(rng.multinomial(300, [0.05] * 20), rng.multinomial(40, [0.05] * 20), rng=1, repeats=99)
    assert many.method == "monte-carlo"
    huge = homogeneity_test([10**9, *[3] * 20], [10**9, *[2] * 20])
    assert (huge.method, huge.status) == ("asymptotic", ScorecardStatus.CHI2_SPARSE)


def test_speed_of_monte_carlo():
    rng = np.random.default_rng(2)
    x, y = rng.multinomial(400, [0.1] * 10), rng.multinomial(40, [0.1] * 10)
    seconds = []
    for _ in range(5):
        start = time.perf_counter()
        homogeneity_test(x, y, method="monte-carlo", repeats=999, rng=1)
        seconds.append(time.perf_counter() - start)
    # 10 ms on a free machine
    assert min(seconds) < 0.05


def test_number_of_tables():
    for sizes, n in (([3, 4, 5], 6), ([1, 1, 9], 2), ([7, 2, 2, 3], 11), ([3, 3], 6), ([3, 40, 2], 20)):
        assert count_tables(np.array(sizes), n, 1e7) == len(tables_with(sizes, n))
    assert count_tables(np.array([10**9, 10**9]), 10**9, 1e7) == math.inf
    assert count_tables(np.full(30, 10), 150, 1e7) == math.inf


def test_degenerate_samples():
    one = homogeneity_test([5, 0], [7, 0])
    assert (one.status, one.dof, one.method) == (ScorecardStatus.ONE_BIN, 0, "asymptotic")
    assert math.isnan(one.pvalue)
    assert homogeneity_test([5, 0], [7, 0], method="monte-carlo").repeats is None
    equal = homogeneity_test([4, 2, 2], [4, 2, 2], method="exact")
    assert equal.pvalue == 1.0
    dropped = homogeneity_test([8, 3, 0, 1], [2, 4, 0, 6])
    assert (dropped.bins, dropped.pvalue) == (3, homogeneity_test([8, 3, 1], [2, 4, 6]).pvalue)


@pytest.mark.parametrize("method", ["asymptotic", "exact", "monte-carlo"])
def test_result_forms(method):
    result = homogeneity_test([8, 3, 1], [2, 4, 6], method=method, rng=1, repeats=99)
    assert Result.from_json(result.to_json()) == result
    assert len(result.to_frame()) == 3
    for word in ("jeffreys", "p-value", {"exact": "58 tables", "monte-carlo": "99 tables"}.get(method, "chi-square")):
        assert word in result.summary()


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: homogeneity_test([1, 2], [3, 4], statistic="kl"), ValueError, "statistic is 'kl'"),
        (lambda: homogeneity_test([1, 2], [3, 4], method="fisher"), ValueError, "method is 'fisher'"),
        (lambda: homogeneity_test([1, 2], [3, 4], smoothing=0), ValueError, r"smoothing is 0.0; expected .* \(0"),
        (lambda: homogeneity_test([1, 2], [3, 4], repeats=0), ValueError, "repeats is 0"),
        (lambda: homogeneity_test([1, 2], [3, 4], method="monte-carlo", rng="a"), TypeError, "rng is a str"),
        (lambda: homogeneity_test([1, 2], [3, 4, 5]), ValueError, "same bins"),
        (lambda: homogeneity_test([1, 2.5], [3, 4]), ValueError, "whole counts"),
        (lambda: homogeneity_test([0, 0], [3, 4]), ValueError, "at least one observation"),
        (
            lambda: homogeneity_test([100] * 20, [100] * 20, method="exact"),
            ValueError,
            "more than 10000000 tables .* use method='monte-carlo'",
        ),
        (lambda: homogeneity_test([10**9, 1], [5, 5], method="monte-carlo"), ValueError, "less than 10\\*\\*9"),
        (lambda: psi_equivalence_test([1, 2], [3, 4], 0), ValueError, "margin is 0.0"),
        (lambda: psi_equivalence_test([1, 2], None, 0.1), ValueError, "expected is None"),
    ],
)
def test_errors(call, error, words):
    with pytest.raises(error, match=words):
        call()


def test_stability():
    actual, expected = [480, 1020, 2030, 2970], [500, 1000, 2000, 3000]
    found = psi_equivalence_test(actual, expected, 0.01)
    assert found == psi(actual, expected).test(margin=0.01, alternative="less")
    assert found.pvalue < 0.001
    # near equality the law is noncentral chi-square with bins - 1 degrees of freedom
    n_eff = 6500 * 6500 / 13000
    result = psi(actual, expected, smoothing=0.5)
    assert found.pvalue == pytest.approx(stats.ncx2.cdf(n_eff * result.estimate_smoothed, 3, n_eff * 0.01), rel=0.05)
    known = psi_equivalence_test(actual, [0.08, 0.15, 0.31, 0.46], 0.01, baseline="fixed")
    assert known.margin == 0.01
    table = np.array([[920, 60, 5], [20, 820, 40], [5, 20, 720]])
    assert 0 < psi_equivalence_test(table, None, 0.01, baseline="paired").pvalue < 0.05

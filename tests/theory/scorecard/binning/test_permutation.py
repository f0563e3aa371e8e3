"""The permutation test counts the search: uniform on noise, exact where it can be enumerated."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from scipy import stats

from asymptopia.theory.scorecard.binning import optimal_bins
from asymptopia.theory.scorecard.binning import permutation as module
from asymptopia.theory.scorecard.binning.permutation import permutation_pvalue


@pytest.mark.parametrize(("trend", "share"), [("auto", 0.0), ("auto", 0.2), ("peak", 0.0)])
def test_pvalue_is_uniform_on_noise(trend: str, share: float) -> None:
    # P(p <= 0.05) = 5/100 and P(p <= 0.2) = 20/100 at 99 permutations. False alarm below 2e-5 a rate; a true size of
    # 0.15 for the first is found with probability 0.97 (chi-square with the bins as given has 0.1 to 0.2)
    rng, found = np.random.default_rng(11), []
    sets = 300
    for _ in range(sets):
        bad = rng.multivariate_hypergeometric([200] * 20, 400)
        got = optimal_bins(
            200 - bad, bad, max_bins=5, trend=trend, min_share=share, pvalue="permutation", repeats=99, rng=rng
        )
        assert got.pvalue is not None
        found.append(got.pvalue)
    for rate in (0.05, 0.2):
        hits = sum(p <= rate + 1e-12 for p in found)
        low, high = stats.binom.ppf([1e-5, 1 - 1e-5], sets, rate)
        assert low <= hits <= high


def test_equals_enumeration_of_all_permutations() -> None:
    rows, bads = [4, 3, 4, 3], 6
    bad = [1, 0, 2, 3]
    good = [r - b for r, b in zip(rows, bad, strict=True)]
    observed = optimal_bins(good, bad, max_bins=3).value
    hits = total = 0
    for other in itertools.product(*[range(r + 1) for r in rows]):
        if sum(other) != bads:
            continue
        weight = math.prod(math.comb(r, b) for r, b in zip(rows, other, strict=True))
        value = optimal_bins([r - b for r, b in zip(rows, other, strict=True)], other, max_bins=3).value
        total += weight
        hits += weight * (value >= observed * (1 - 1e-12))
    assert total == math.comb(sum(rows), bads)
    exact, repeats = hits / total, 20_000
    p = optimal_bins(good, bad, max_bins=3, pvalue="permutation", repeats=repeats, rng=3).pvalue
    assert p is not None
    # five standard errors: false alarm 6e-7
    assert abs(p - exact) < 5 * math.sqrt(exact * (1 - exact) / repeats)


@pytest.mark.parametrize("options", [{"min_share": 0.2}, {"trend": "peak"}, {"trend": None}, {"smoothing": 0.5}])
def test_a_bound_changes_no_pvalue(options: dict[str, float], monkeypatch: pytest.MonkeyPatch) -> None:
    # the kernel without a floor, one search at a time
    rng = np.random.default_rng(0)
    bad = rng.multivariate_hypergeometric([50] * 12, 150)
    good = 50 - bad
    found = optimal_bins(good, bad, max_bins=4, pvalue="permutation", repeats=60, rng=5, **options)
    draws = np.random.default_rng(5).multivariate_hypergeometric([50] * 12 + [0], 150, size=60, method="marginals")
    values = [optimal_bins(50 - d[:-1], d[:-1], max_bins=4, **options).value for d in draws]
    assert found.pvalue == (1 + sum(v >= found.value * (1 - 1e-12) for v in values)) / 61


def test_pvalue_does_not_depend_on_threads_and_follows_the_seed(monkeypatch: pytest.MonkeyPatch) -> None:
    good, bad = [30, 25, 28, 22], [5, 6, 7, 8]
    first = optimal_bins(good, bad, pvalue="permutation", rng=1)
    assert first == optimal_bins(good, bad, pvalue="permutation", rng=np.random.default_rng(1))
    assert first.repeats == 999
    monkeypatch.setattr(module, "_THREADS", 1)
    assert first == optimal_bins(good, bad, pvalue="permutation", rng=1)
    # blocks draw in sequence
    monkeypatch.setattr(module, "_BLOCK", 100)
    assert optimal_bins(good, bad, pvalue="permutation", rng=1).pvalue == first.pvalue


def test_a_useless_feature_has_pvalue_one() -> None:
    found = optimal_bins([10, 20, 30], [1, 2, 3], pvalue="permutation", repeats=50)
    assert found.pvalue == 1.0


def test_strong_feature_reaches_the_smallest_pvalue() -> None:
    assert optimal_bins([90, 50, 10], [10, 50, 90], pvalue="permutation", repeats=199, rng=0).pvalue == 1 / 200


def test_too_many_rows_are_refused() -> None:
    with pytest.raises(ValueError, match="less than 1e9"):
        permutation_pvalue(np.array([10**9, 0]), 5, 1.0, (), 9, np.random.default_rng(0))

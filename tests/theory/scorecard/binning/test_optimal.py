"""Optimal bins against complete enumeration, known values and each other's method."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from asymptopia.theory._core.result import Result
from asymptopia.theory.scorecard.binning import BinningResult, Prebins, optimal_bins, prebin
from asymptopia.theory.scorecard.binning.kernels import KINDS, unit
from asymptopia.theory.scorecard.binning.status import BinningStatus

GOOD = [120, 90, 160, 110, 80, 140, 60, 100, 70, 70]
BAD = [4, 6, 5, 9, 8, 12, 11, 14, 10, 21]
TRENDS = ("ascending", "descending", "auto", "peak", "valley", None)
TERMS: dict[str, Callable[[float, float], float]] = {
    "jeffreys": lambda p, q: (p - q) * math.log(p / q),
    "kl": lambda p, q: p * math.log(p / q),
    "reverse-kl": lambda p, q: q * math.log(q / p),
    "js": lambda p, q: (p * math.log(2 * p / (p + q)) + q * math.log(2 * q / (p + q))) / 2,
    "hellinger": lambda p, q: (math.sqrt(p) - math.sqrt(q)) ** 2 / 2,
    "pearson": lambda p, q: (p - q) ** 2 / q,
    "neyman": lambda p, q: (p - q) ** 2 / p,
}


def partitions(size: int) -> Iterator[tuple[int, ...]]:
    for k in range(size):
        for cuts in itertools.combinations(range(1, size), k):
            yield (0, *cuts, size)


def follows(rates: list[Fraction], trend: str | None) -> bool:
    up = [a <= b for a, b in itertools.pairwise(rates)]
    down = [a >= b for a, b in itertools.pairwise(rates)]
    if trend is None:
        return True
    if trend in {"ascending", "descending"}:
        return all(up if trend == "ascending" else down)
    if trend == "auto":
        return all(up) or all(down)
    first, second = (up, down) if trend == "peak" else (down, up)
    return any(all(first[:t]) and all(second[t:]) for t in range(len(up) + 1))


def exhaustive(
    good: list[int],
    bad: list[int],
    *,
    max_bins: int | None = None,
    kind: str = "jeffreys",
    min_share: str = "0",
    min_events: int = 0,
    smoothing: float = 0.0,
) -> dict[str | None, float]:
    """The largest value of each trend, -inf where nothing is feasible."""
    n, m, size = sum(good), sum(bad), len(good)
    sums = {(i, j): (sum(good[i:j]), sum(bad[i:j])) for i in range(size) for j in range(i + 1, size + 1)}
    found: dict[str | None, float] = dict.fromkeys(TRENDS, -math.inf)
    for nodes in partitions(size):
        cells = [sums[pair] for pair in itertools.pairwise(nodes)]
        if max_bins is not None and len(cells) > max_bins:
            continue
        if any(x + y < Fraction(min_share) * (n + m) or y < min_events or x + y == 0 for x, y in cells):
            continue
        if smoothing == 0 and any(x == 0 or y == 0 for x, y in cells):
            continue
        a, extra = smoothing, smoothing * len(cells)
        value = math.fsum(TERMS[kind]((x + a) / (n + extra), (y + a) / (m + extra)) for x, y in cells)
        rates = [Fraction(y, x + y) for x, y in cells]
        for trend in TRENDS:
            if value > found[trend] and follows(rates, trend):
                found[trend] = value
    return found


def random_counts(rng: np.random.Generator, size: int) -> tuple[list[int], list[int]]:
    """Counts with equal rates, repeated cells, zeros and trends, by turns."""
    style = int(rng.integers(4))
    if style == 0:
        good, bad = rng.integers(1, 4, size), rng.integers(1, 4, size)
    elif style == 1:
        good, bad = rng.integers(0, 4, size), rng.integers(0, 3, size)
    elif style == 2:
        rows = rng.integers(20, 200, size)
        bad = rng.binomial(rows, np.sort(rng.uniform(0.05, 0.6, size)))
        good = rows - bad
    else:
        good, bad = rng.integers(1, 300, size), rng.integers(1, 60, size)
    if good.sum() == 0 or bad.sum() == 0:
        good, bad = good + 1, bad + 1
    return good.tolist(), bad.tolist()


def agree(found: BinningResult, expected: float, *, feasible: bool = True) -> None:
    """The value is the best one and belongs to the bins returned; nothing feasible gives one bin."""
    assert found.optimal
    if not math.isfinite(expected):
        assert found.splits.size == 0
        return
    assert found.value == pytest.approx(expected, rel=1e-11, abs=1e-14)
    n, m = found.table.sum(axis=0) + found.smoothing * found.bins
    cells = (found.table + found.smoothing).tolist()
    own = math.fsum(TERMS[found.divergence](x / n, y / m) for x, y in cells)
    assert own == pytest.approx(expected, rel=1e-11, abs=1e-14)


@pytest.mark.parametrize(
    ("options", "value", "splits"),
    [
        ({}, 0.41293405976932156, [1, 3, 4, 6, 9]),
        ({"max_bins": 4}, 0.407987547679210447, [3, 6, 9]),
        ({"max_bins": 3}, 0.366079486157421815, [3, 6]),
        ({"max_bins": 4, "min_share": 0.15}, 0.379103283762882065, [3, 6, 8]),
    ],
)
def test_known_values(options: dict[str, Any], value: float, splits: list[int]) -> None:
    for trend in ("ascending", "auto"):
        found = optimal_bins(GOOD, BAD, trend=trend, **options)
        assert found.value == pytest.approx(value, rel=4e-16)
        assert found.splits.tolist() == splits
        assert found.trend == "ascending"
    mirrored = optimal_bins(GOOD[::-1], BAD[::-1], **options)
    assert mirrored.trend == "descending"
    assert mirrored.splits.tolist() == [10 - s for s in splits[::-1]]


@pytest.mark.parametrize("constrained", [False, True])
def test_equals_enumeration_in_every_trend(constrained: bool) -> None:
    rng = np.random.default_rng(20250911)
    for _ in range(320):
        good, bad = random_counts(rng, int(rng.integers(1, 9)))
        max_bins = [None, 2, 3, 4][int(rng.integers(4))]
        share, events = "0", 0
        if constrained:
            share, events = str(rng.choice(["0", "0.1", "0.15", "0.3"])), int(rng.integers(0, 4))
        expected = exhaustive(good, bad, max_bins=max_bins, min_share=share, min_events=events)
        for trend in TRENDS:
            found = optimal_bins(good, bad, max_bins=max_bins, trend=trend, min_share=float(share), min_events=events)
            agree(found, expected[trend])
            rates = [Fraction(y, x + y) for x, y in found.table.tolist()]
            assert follows(rates, trend)
            assert all(a != b for a, b in itertools.pairwise(rates))
            assert max_bins is None or found.bins <= max_bins
            if math.isfinite(expected[trend]) and found.bins > 1:
                assert (found.table.sum(axis=1) >= float(share) * (sum(good) + sum(bad)) - 1e-9).all()
                assert (found.bad >= events).all()


@pytest.mark.parametrize("size", [9, 10])
def test_equals_enumeration_of_ten_prebins(size: int) -> None:
    rng = np.random.default_rng(size)
    for _ in range(8):
        good, bad = random_counts(rng, size)
        expected = exhaustive(good, bad, max_bins=4)
        for trend in TRENDS:
            agree(optimal_bins(good, bad, max_bins=4, trend=trend), expected[trend])


@pytest.mark.parametrize("kind", KINDS)
def test_every_divergence_equals_enumeration(kind: str) -> None:
    rng = np.random.default_rng(KINDS[kind])
    for _ in range(45):
        good, bad = random_counts(rng, int(rng.integers(2, 8)))
        max_bins = [None, 2, 3][int(rng.integers(3))]
        expected = exhaustive(good, bad, max_bins=max_bins, kind=kind)
        for trend in TRENDS:
            agree(optimal_bins(good, bad, max_bins=max_bins, trend=trend, divergence=kind), expected[trend])


@pytest.mark.parametrize("kind", ["jeffreys", "kl", "pearson"])
def test_smoothing_equals_enumeration(kind: str) -> None:
    rng = np.random.default_rng(5)
    for _ in range(60):
        good, bad = random_counts(rng, int(rng.integers(1, 8)))
        max_bins, a = [None, 2, 3][int(rng.integers(3))], float(rng.choice([0.5, 2.0]))
        expected = exhaustive(good, bad, max_bins=max_bins, kind=kind, smoothing=a)
        for trend in TRENDS:
            agree(
                optimal_bins(good, bad, max_bins=max_bins, trend=trend, divergence=kind, smoothing=a), expected[trend]
            )


@pytest.mark.parametrize("size", [20, 100, 150])
@pytest.mark.parametrize("slope", [0.0, 0.25])
def test_hull_equals_programme(size: int, slope: float) -> None:
    rng = np.random.default_rng(size)
    for _ in range(8):
        rows = rng.integers(50, 400, size)
        bad = rng.binomial(rows, 0.1 + slope * np.linspace(0, 1, size)) + 1
        good = rows - bad + 1
        cums = [np.concatenate([[0], np.cumsum(side)]) for side in (good, bad)]
        gain = unit().segment_gains(good, bad, KINDS["jeffreys"], 0.0)
        for bins in (0, 3, 10):
            for trend, name in ((1, "ascending"), (-1, "descending")):
                value, nodes = unit().programme(gain, *cums, bins, trend)
                found = optimal_bins(good, bad, max_bins=bins or None, trend=name)
                assert found.value == pytest.approx(value, rel=1e-12, abs=1e-15)
                assert nodes[0] == 0
                assert nodes[-1] == size
                assert bins == 0 or nodes.size - 1 <= bins
            value, _ = unit().programme(gain, *[side.astype(float) for side in cums], bins, 0)
            assert optimal_bins(good, bad, max_bins=bins or None, trend=None).value == pytest.approx(value, rel=1e-12)


def test_programme_says_that_nothing_is_feasible() -> None:
    gain = np.full((4, 4), -np.inf)
    gain[0, 1] = gain[1, 2] = 1.0
    cum = np.arange(4)
    for trend in (-1, 0, 1):
        value, nodes = unit().programme(gain, cum, cum, 3, trend)
        assert value == -np.inf
        assert nodes.size == 0


def test_programme_compares_rates_beyond_the_digits_of_a_quotient() -> None:
    # neighbours in a Farey sequence: quotients and cross products round to the same float64, the rates differ
    k = 2**50
    first, second = (k, k - 1), (k + 1, k)
    rates = [Fraction(y, x + y) for x, y in (first, second)]
    assert rates[0] < rates[1]
    assert float(rates[0]) == float(rates[1])
    assert float(first[1]) * second[0] == float(second[1]) * first[0]
    gain = np.full((3, 3), -np.inf)
    gain[0, 1] = gain[1, 2] = 1.0
    gain[0, 2] = 0.0
    cum_good, cum_bad = np.array([0, first[0], first[0] + second[0]]), np.array([0, first[1], first[1] + second[1]])
    assert unit().programme(gain, cum_good, cum_bad, 2, 1)[0] == 2.0
    assert unit().programme(gain, cum_good, cum_bad, 2, -1)[0] == 0.0
    good, bad = np.diff(cum_good), np.diff(cum_bad)
    assert unit().hull(good, bad).tolist() == [0, 1, 2]
    assert unit().hull(good[::-1].copy(), bad[::-1].copy()).tolist() == [0, 2]


def test_hull_is_the_isotonic_regression() -> None:
    from sklearn.isotonic import IsotonicRegression

    rng = np.random.default_rng(3)
    for _ in range(20):
        rows = rng.integers(1, 50, 40)
        bad = rng.binomial(rows, np.linspace(0.1, 0.7, 40))
        fitted = IsotonicRegression().fit_transform(np.arange(40), bad / rows, sample_weight=rows)
        ends = np.flatnonzero(np.abs(np.diff(fitted)) > 1e-12) + 1
        assert unit().hull(rows - bad, bad).tolist() == [0, *ends.tolist(), 40]


@pytest.mark.parametrize("kind", KINDS)
def test_terms_near_equality_and_apart(kind: str) -> None:
    import mpmath as mp

    generators: dict[str, Callable[[Any], Any]] = {
        "jeffreys": lambda r: (r - 1) * mp.log(r),
        "kl": lambda r: r * mp.log(r) - r + 1,
        "reverse-kl": lambda r: r - 1 - mp.log(r),
        "js": lambda r: (r * mp.log(2 * r / (1 + r)) + mp.log(2 / (1 + r))) / 2,
        "hellinger": lambda r: (mp.sqrt(r) - 1) ** 2 / 2,
        "pearson": lambda r: (r - 1) ** 2,
        "neyman": lambda r: (1 - r) ** 2 / r,
    }
    pairs = [(10**12, 10**12 + 1), (10**15, 10**15 - 7), (5, 8), (1, 10**6), (10**6, 1), (300, 500), (500, 300)]
    for x, y in pairs:
        n, m = 3 * 10**15, 3 * 10**15 + 1
        with mp.workdps(60):
            p, q = mp.mpf(x) / n, mp.mpf(y) / m
            want = q * generators[kind](p / q)
        got = unit().terms(np.array([float(x)]), np.array([float(y)]), KINDS[kind], 0.0, float(n), float(m))[0]
        assert got == pytest.approx(float(want), rel=4e-15)


def test_one_bin_cases() -> None:
    alone = optimal_bins([5], [3])
    assert (alone.value, alone.splits.tolist(), alone.status) == (0.0, [], BinningStatus.ONE_BIN)
    half = optimal_bins(GOOD, BAD, min_share=0.6)
    assert (half.value, half.bins, half.optimal, half.status) == (0.0, 1, True, BinningStatus.ONE_BIN)
    many = optimal_bins(GOOD, BAD, min_events=101, pvalue="permutation")
    assert (many.value, many.bins, many.status, many.pvalue) == (0.0, 1, BinningStatus.INFEASIBLE, 1.0)
    assert many.trend == "ascending"
    against = optimal_bins(GOOD, BAD, trend="descending", max_bins=1)
    assert (against.value, against.trend) == (0.0, "descending")
    split = optimal_bins([4, 6], [0, 10])
    assert (split.bins, split.value, split.status) == (1, 0.0, BinningStatus.ONE_BIN)
    pure = optimal_bins([0, 9, 0], [7, 0, 7])
    assert (pure.bins, pure.value) == (1, 0.0)
    assert math.isnan(pure.ci.low)
    assert optimal_bins([4, 6], [0, 10], smoothing=0.5).bins == 2


def test_more_bins_than_prebins_is_no_limit() -> None:
    for bins in (10, 11, 10**6):
        assert optimal_bins(GOOD, BAD, max_bins=bins) == optimal_bins(GOOD, BAD)


def test_min_share_is_the_decimal_that_is_written() -> None:
    # 0.07 * 100 is 7.000000000000001 in binary
    assert 0.07 * 100 > 7
    good, bad = [5, 80, 3], [2, 6, 4]
    assert optimal_bins(good, bad, min_share=0.07, trend=None).bins == 3
    assert optimal_bins(good, bad, min_share=0.0701, trend=None).bins == 1
    assert optimal_bins([1, 2, 1], [2, 1, 2], min_share=0.333, trend=None).bins == 3


def test_equal_rates_are_merged() -> None:
    found = optimal_bins([10, 20, 30, 10], [1, 2, 3, 5], trend=None)
    assert found.splits.tolist() == [3]
    flat = optimal_bins([10, 20, 30], [1, 2, 3])
    assert (flat.bins, flat.value) == (1, 0.0)


def test_pure_ends_are_merged_and_said() -> None:
    good, bad = [30, 20, 10, 10], [0, 1, 1, 30]
    found = optimal_bins(good, bad)
    assert found.status is BinningStatus.MERGED
    assert found.splits.tolist() == [2, 3]
    kept = optimal_bins(good, bad, smoothing=0.5)
    assert kept.status is BinningStatus.OK
    assert kept.splits.tolist() == [1, 3]
    empty = optimal_bins([0, *GOOD, 0], [0, *BAD, 0])
    assert empty.status is BinningStatus.OK
    assert empty.value == optimal_bins(GOOD, BAD).value


def test_pure_prebins_are_merged_before_the_hull() -> None:
    # merging the pure block of the hull with its neighbour block would leave one cut, [3], and a smaller value
    found = optimal_bins([10, 10, 10, 10], [0, 1, 1, 50])
    assert found.splits.tolist() == [2, 3]
    one_cut = math.fsum(TERMS["jeffreys"](x / 40, y / 52) for x, y in ((30, 2), (10, 50)))
    assert found.value > one_cut + 0.01


def test_scale_and_mirror_leave_the_bins() -> None:
    base = optimal_bins(GOOD, BAD, max_bins=4)
    scaled = optimal_bins(np.array(GOOD) * 10**12, np.array(BAD) * 10**12, max_bins=4)
    assert scaled.splits.tolist() == base.splits.tolist()
    assert scaled.value == pytest.approx(base.value, rel=1e-14)
    swapped = optimal_bins(BAD, GOOD, max_bins=4)
    assert (swapped.trend, swapped.splits.tolist()) == ("descending", base.splits.tolist())
    peak, valley = optimal_bins(GOOD, BAD, trend="peak"), optimal_bins(BAD, GOOD, trend="valley")
    assert peak.splits.tolist() == valley.splits.tolist()


def with_missing(good: int, bad: int) -> Prebins:
    return Prebins(
        status=BinningStatus.OK,
        edges=np.arange(1.0, 10.0),
        good=np.array(GOOD),
        bad=np.array(BAD),
        missing_good=good,
        missing_bad=bad,
    )


def test_missing_values_are_a_row_of_their_own() -> None:
    found = optimal_bins(with_missing(40, 9), max_bins=3, trend="ascending")
    assert found.missing
    assert found.bins == 4
    assert found.table[-1].tolist() == [40, 9]
    assert found.table.sum() == sum(GOOD) + sum(BAD) + 49
    n, m = 1040, 109
    best = -math.inf
    for nodes in partitions(10):
        cells = [(sum(GOOD[i:j]), sum(BAD[i:j])) for i, j in itertools.pairwise(nodes)]
        if len(cells) <= 3 and follows([Fraction(y, x + y) for x, y in cells], "ascending"):
            best = max(best, math.fsum(TERMS["jeffreys"](x / n, y / m) for x, y in [*cells, (40, 9)]))
    assert found.value == pytest.approx(best, rel=1e-14)
    assert found.code([0, 2, 3, 9, -1]).tolist() == [0, 0, 1, 2, -1]
    assert found.apply([0.5, 3.0, 3.5, 99.0, math.nan]).tolist() == [0, 0, 1, 2, -1]
    assert found.labels() == ("<= 3", "(3, 6]", "> 6", "missing")


def test_missing_cell_of_one_outcome() -> None:
    found = optimal_bins(with_missing(5, 0), max_bins=3, pvalue="permutation", repeats=99, rng=0)
    assert found.value == math.inf
    assert found.status is BinningStatus.ZERO_CELL
    assert found.pvalue == 0.01
    smoothed = optimal_bins(with_missing(5, 0), max_bins=3, smoothing=0.5, trend="ascending")
    assert smoothed.status is BinningStatus.OK
    assert smoothed.value == pytest.approx(smoothed.information_value().estimate_smoothed, rel=1e-13)
    only = Prebins(
        status=BinningStatus.OK,
        edges=np.array([1.0]),
        good=np.array([3, 4]),
        bad=np.array([0, 0]),
        missing_good=1,
        missing_bad=5,
    )
    assert optimal_bins(only).status is BinningStatus.ZERO_CELL
    assert optimal_bins(only).bins == 2


def test_round_trip_frame_and_summary() -> None:
    for found in (
        optimal_bins(with_missing(40, 9), max_bins=3, pvalue="permutation", repeats=19, rng=1),
        optimal_bins(GOOD, BAD, trend=None, divergence="js"),
    ):
        assert Result.from_json(found.to_json()) == found
        frame = found.to_frame()
        assert frame["good"].tolist() == found.good.tolist()
        assert frame["contribution"].sum() == pytest.approx(found.value)
        assert not found.table.flags.writeable
    assert "permutation p" in optimal_bins(GOOD, BAD, pvalue="permutation", repeats=19, rng=1).summary()
    assert "take them as given" in optimal_bins(GOOD, BAD).summary()
    iv = optimal_bins(GOOD, BAD).information_value()
    assert optimal_bins(GOOD, BAD).ci == iv.ci


def test_code_refuses_what_is_no_prebin() -> None:
    found = optimal_bins(GOOD, BAD, max_bins=3)
    with pytest.raises(ValueError, match="at most 9"):
        found.code([10])
    with pytest.raises(TypeError, match="integer codes"):
        found.code([0.5])
    with pytest.raises(ValueError, match="call optimal_bins with a Prebins"):
        found.apply([1.0])


@pytest.mark.parametrize(
    ("arguments", "options", "error", "match"),
    [
        ((GOOD,), {}, TypeError, "bad is None"),
        ((with_missing(0, 0), BAD), {}, TypeError, "beside a Prebins"),
        ((GOOD, BAD[:-1]), {}, ValueError, "same bins"),
        (([1.5, 2], [1, 1]), {}, ValueError, "whole counts"),
        (([0, 0], [1, 1]), {}, ValueError, "at least one observation"),
        (([2**53, 2], [1, 1]), {}, ValueError, "2\\*\\*53"),
        ((GOOD, BAD), {"max_bins": 0}, ValueError, "max_bins"),
        ((GOOD, BAD), {"max_bins": 2.0}, TypeError, "max_bins"),
        ((GOOD, BAD), {"trend": "up"}, ValueError, "trend"),
        ((GOOD, BAD), {"min_share": 1.1}, ValueError, "min_share"),
        ((GOOD, BAD), {"min_events": -1}, ValueError, "min_events"),
        ((GOOD, BAD), {"divergence": "tv"}, ValueError, "divergence"),
        ((GOOD, BAD), {"pvalue": "naive"}, ValueError, "after the search"),
        ((GOOD, BAD), {"repeats": 0}, ValueError, "repeats"),
        ((GOOD, BAD), {"smoothing": -1}, ValueError, "smoothing"),
        ((GOOD, BAD), {"level": 1}, ValueError, "level"),
        ((GOOD, BAD), {"rng": "seed"}, TypeError, "rng"),
        ((np.ones(2000), np.ones(2000)), {"min_events": 3, "max_bins": 10}, ValueError, "merge prebins"),
        (([6 * 10**8, 10**8], [10**8, 3 * 10**8]), {"pvalue": "permutation"}, ValueError, "less than 1e9"),
    ],
)
def test_bad_input(arguments: Any, options: dict[str, Any], error: type[Exception], match: str) -> None:
    with pytest.raises(error, match=match):
        optimal_bins(*arguments, **options)


def test_many_prebins_need_no_large_table() -> None:
    rng = np.random.default_rng(8)
    rows = np.full(20_000, 50)
    bad = rng.binomial(rows, np.linspace(0.05, 0.2, rows.size))
    found = optimal_bins(rows - bad, bad, max_bins=8, trend="ascending")
    assert found.bins == 8


def test_plot_shows_bins_and_rates() -> None:
    from matplotlib.figure import Figure

    found = optimal_bins(with_missing(40, 9), max_bins=3)
    ax = Figure().add_subplot()
    assert found.plot(ax) is ax
    assert [bar.get_height() for bar in ax.patches] == pytest.approx(found.information_value().woe)
    right = ax.figure.axes[1]
    assert right.lines[-1].get_ydata() == pytest.approx(found.event_rate[:-1])
    odd = Figure().add_subplot()
    optimal_bins(with_missing(5, 0), max_bins=3).plot(odd)
    assert [text.get_text() for text in odd.texts] == ["+∞"]


def test_from_rows_to_bins() -> None:
    rng = np.random.default_rng(4)
    y = rng.random(5000) < 0.2
    x = rng.normal(0.8 * y, 1.0)
    x[::97] = math.nan
    cells = prebin(x, y, max_prebins=50)
    found = optimal_bins(cells, max_bins=5)
    codes = found.apply(x)
    assert (codes == found.code(cells.code(x))).all()
    table = [[int(np.sum((codes == c) & (y == v))) for v in (0, 1)] for c in (0, 1, 2, 3, 4, -1)]
    assert found.table.tolist() == table

"""The front against every partition of every feature, and what each of its points says."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator, Sequence
from itertools import combinations, pairwise, product
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pytest

from asymptopia.theory.scorecard.fairness import FrontResult, fairness_front
from asymptopia.theory.scorecard.inference import information_value, jeffreys

Tables = list[list[list[int]]]


class Partition(NamedTuple):
    nodes: tuple[int, ...]
    gain: float
    cost: float
    variance: float


def sums(table: Sequence[Sequence[float]], nodes: Sequence[int]) -> list[list[float]]:
    return [[math.fsum(row[side] for row in table[a:b]) for side in (0, 1)] for a, b in pairwise(nodes)]


def divergence(cells: list[list[float]]) -> float:
    n, m = (math.fsum(cell[side] for cell in cells) for side in (0, 1))
    return math.fsum((x / n - y / m) * math.log((x / n) / (y / m)) for x, y in cells if x != 0 or y != 0)


def additive_variance(cells: list[list[float]], sizes: Sequence[float]) -> float:
    n, m = (math.fsum(cell[side] for cell in cells) for side in (0, 1))
    total = 0.0
    for x, y in cells:
        if x == y == 0:
            continue
        p, q = x / n, y / m
        log = math.log(p / q)
        total += p * (log + 1 - q / p) ** 2 / sizes[0] + q * (-log + 1 - p / q) ** 2 / sizes[1]
    return total


def partitions(
    target: Any, protected: Any, max_bins: int, trend: str | None, min_share: float = 0.0
) -> Iterator[Partition]:
    """All partitions with at least two bins, evaluated from the definition; 1/2 a protected prebin in use."""
    smoothed = [[x + 0.5, y + 0.5] if x + y else [0, 0] for x, y in protected]
    sizes = [sum(row[side] for row in protected) for side in (0, 1)]
    rows = sum(map(sum, target))
    for count in range(1, max_bins):
        for inner in combinations(range(1, len(target)), count):
            nodes = (0, *inner, len(target))
            cells = sums(target, nodes)
            if any(x == 0 or y == 0 or x + y < min_share * rows for x, y in cells):
                continue
            rises = [a[0] * b[1] - a[1] * b[0] for a, b in pairwise(cells)]
            up, down = all(rise >= 0 for rise in rises), all(rise <= 0 for rise in rises)
            if not {None: True, "ascending": up, "descending": down, "auto": up or down}[trend]:
                continue
            shielded = sums(smoothed, nodes)
            yield Partition(nodes, divergence(cells), divergence(shielded), additive_variance(shielded, sizes))


def all_choices(
    targets: Any, protecteds: Any, max_bins: int, trend: str | None, most: int, min_share: float = 0.0
) -> np.ndarray[Any, Any]:
    """Gain, cost and variance of every combination."""
    listed = [
        [Partition((), 0.0, 0.0, 0.0), *partitions(t, u, max_bins, trend, min_share)]
        for t, u in zip(targets, protecteds, strict=True)
    ]
    rows = [
        [math.fsum(part[i] for part in parts) for i in (1, 2, 3)]
        for parts in product(*listed)
        if sum(bool(part.nodes) for part in parts) <= most
    ]
    return np.array(rows)


def random_tables(seed: int, features: int = 2, prebins: int = 6) -> tuple[Tables, Tables]:
    rng = np.random.default_rng(seed)
    targets, protecteds = [], []
    for f in range(features):
        size = prebins - f % 2
        targets.append(rng.poisson([[40, 15]] * size).tolist())
        protecteds.append(rng.poisson(rng.uniform(0, 30, (size, 2))).tolist())
    # a group that is absent, and a prebin that is
    protecteds[0][1][0] = 0
    protecteds[0][3] = [0, 0]
    return targets, protecteds


def budgets_between(rows: np.ndarray[Any, Any], z: float) -> list[float]:
    spent = rows[:, 1] + z * np.sqrt(rows[:, 2])
    top = float(spent[np.argmax(rows[:, 0])])
    return sorted({0.0, *(part * top for part in (0.07, 0.2, 0.45, 0.8)), top, math.inf})


@pytest.mark.parametrize("method", ["labels", "milp"])
@pytest.mark.parametrize("trend", [None, "ascending", "auto"])
@pytest.mark.parametrize("most", [1, 2])
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_every_point_is_the_best_of_all_binnings(method: str, trend: str | None, most: int, seed: int) -> None:
    targets, protecteds = random_tables(seed)
    rows = all_choices(targets, protecteds, 3, trend, most)
    eps = budgets_between(rows, 0.0)
    front = fairness_front(targets, protecteds, eps=eps, max_bins=3, trend=trend, max_features=most, method=method)
    wanted = [rows[rows[:, 1] <= budget * (1 + 1e-12), 0].max() for budget in eps]
    np.testing.assert_allclose(front.target_iv, wanted, rtol=1e-11 if method == "labels" else 2e-6, atol=1e-12)
    assert all(point.optimal for point in front.points)
    assert (front.protected_iv <= np.array(eps) * (1 + 1e-12)).all()


@pytest.mark.parametrize("z", [0.5, 1.645])
@pytest.mark.parametrize("seed", [0, 1, 2, 3])
def test_upper_confidence_budget_is_kept_and_best(z: float, seed: int) -> None:
    targets, protecteds = random_tables(seed)
    rows = all_choices(targets, protecteds, 4, None, 2)
    eps = budgets_between(rows, z)
    spent = rows[:, 1] + z * np.sqrt(rows[:, 2])
    wanted = np.array([rows[spent <= budget * (1 + 1e-12), 0].max() for budget in eps])
    exact = fairness_front(targets, protecteds, eps=eps, max_bins=4, z=z)
    np.testing.assert_allclose(exact.target_iv, wanted, rtol=1e-11, atol=1e-12)
    assert all(point.optimal for point in exact.points)
    tangents = fairness_front(targets, protecteds, eps=eps, max_bins=4, z=z, method="milp")
    assert (tangents.target_iv <= wanted * (1 + 1e-11)).all()
    for front in (exact, tangents):
        for point, best in zip(front.points, wanted, strict=True):
            assert point.protected_upper is not None
            assert point.protected_upper <= point.eps * (1 + 1e-12)
            assert point.bound >= best * (1 - 1e-9)
            assert point.optimal or point.gap == pytest.approx(point.bound - point.target_iv)


@pytest.mark.parametrize("seed", range(4))
def test_three_features_min_share_and_descending(seed: int) -> None:
    targets, protecteds = random_tables(seed, features=3, prebins=5)
    rows = all_choices(targets, protecteds, 3, "descending", 2, min_share=0.15)
    eps = budgets_between(rows, 0.0)
    front = fairness_front(targets, protecteds, eps=eps, max_bins=3, trend="descending", max_features=2, min_share=0.15)
    wanted = [rows[rows[:, 1] <= budget * (1 + 1e-12), 0].max() for budget in eps]
    np.testing.assert_allclose(front.target_iv, wanted, rtol=1e-11, atol=1e-12)


def test_supported_points_are_those_on_the_hull_of_all_binnings() -> None:
    from scipy.spatial import ConvexHull

    targets, protecteds = random_tables(5)
    rows = all_choices(targets, protecteds, 3, None, 2)
    front = fairness_front(targets, protecteds, eps=np.unique(rows[:, 1]), max_bins=3)
    corners = rows[ConvexHull(rows[:, :2]).vertices, :2]
    top = corners[np.argmax(corners[:, 0])]
    rising = sorted(
        {
            (round(c, 9), round(g, 9))
            for g, c in corners
            if c <= top[1] and g >= (rows[rows[:, 1] <= c, 0].max() - 1e-12)
        }
    )
    found = {(round(p.protected_iv, 9), round(p.target_iv, 9)) for p in front.points if p.supported}
    assert set(rising) == found
    assert not all(point.supported for point in front.points)


def test_points_state_what_their_nodes_give() -> None:
    targets, protecteds = random_tables(1)
    front = fairness_front({"a": targets[0], "b": targets[1]}, {"b": protecteds[1], "a": protecteds[0]}, n_points=6)
    tables = dict(zip("ab", zip(targets, protecteds, strict=True), strict=True))
    assert front.names == ("a", "b")
    assert front.eps[0] == 0
    assert (np.diff(front.target_iv) >= 0).all()
    for point in front.points:
        assert all(len(path) > 2 for path in point.nodes)
        for name, path, gain, cost in zip(
            point.features, point.nodes, point.target_ivs, point.protected_ivs, strict=True
        ):
            target, protected = tables[name]
            smoothed = [[x + 0.5, y + 0.5] if x + y else [0, 0] for x, y in protected]
            assert gain == pytest.approx(divergence(sums(target, path)), rel=1e-12)
            assert cost == pytest.approx(divergence(sums(smoothed, path)), rel=1e-12, abs=1e-15)
        assert point.target_iv == pytest.approx(math.fsum(point.target_ivs), rel=1e-12)
        assert point.splits == {name: path[1:-1] for name, path in zip(point.features, point.nodes, strict=True)}
        assert point.pvalue == pytest.approx(min([1.0, *(len(point.pvalues) * p for p in point.pvalues)]))
    assert front.points[-1].protected_iv == pytest.approx(front.eps[-1])


def test_one_feature_has_the_interval_of_its_table() -> None:
    targets, protecteds = random_tables(2)
    front = fairness_front(targets[0], protecteds[0], eps=math.inf, level=0.9)
    (point,) = front.points
    (path,) = point.nodes
    cells, shielded = sums(targets[0], path), sums(protecteds[0], path)
    good, bad = np.array(cells, dtype=int).T
    assert point.target_ci == information_value(good, bad).confidence_interval(0.9)
    zero, one = np.array(shielded, dtype=int).T
    found = information_value(zero, one, smoothing=0.5)
    assert point.protected_ci == found.confidence_interval(0.9)
    assert point.pvalue == found.pvalue
    assert front.names == ("feature 0",)


def test_no_budget_gives_no_more_than_bins_without_protected_information() -> None:
    # the second feature has the same groups in every prebin: its bins cost nothing
    target = {"a": [[50, 10], [40, 20], [30, 30]], "b": [[60, 15], [40, 20], [20, 25]]}
    protected = {"a": [[10, 50], [30, 30], [40, 20]], "b": [[30, 40], [30, 40], [30, 40]]}
    front = fairness_front(target, protected, eps=0, protected_smoothing=0)
    (point,) = front.points
    assert point.features == ("b",)
    assert point.protected_iv == 0
    assert point.target_iv == pytest.approx(jeffreys([60, 40, 20], [15, 20, 25]), rel=1e-13)
    only = fairness_front(target["a"], protected["a"], eps=0)
    assert only.points[0].features == ()
    assert (only.points[0].target_ci, only.points[0].pvalue) == ((0.0, 0.0), 1.0)


@pytest.mark.parametrize("trend", [None, "ascending", "descending", "auto"])
def test_without_a_budget_each_feature_has_its_optimal_bins(trend: str | None) -> None:
    from asymptopia.theory.scorecard.binning import optimal_bins

    targets, protecteds = random_tables(7, features=3)
    (point,) = fairness_front(targets, protecteds, eps=math.inf, max_bins=4, trend=trend).points
    for name, target in zip(["feature 0", "feature 1", "feature 2"], targets, strict=True):
        good, bad = np.array(target).T
        best = optimal_bins(good, bad, max_bins=4, trend=trend)
        assert point.splits.get(name, ()) == tuple(best.splits.tolist())


def test_trend_by_name() -> None:
    targets, protecteds = random_tables(3)
    kinds = {"feature 0": "ascending"}
    (point,) = fairness_front(targets, protecteds, eps=math.inf, max_bins=4, trend=kinds).points
    free = max(part.gain for part in partitions(targets[1], protecteds[1], 4, None))
    tied = max((part.gain for part in partitions(targets[0], protecteds[0], 4, "ascending")), default=0.0)
    assert point.target_iv == pytest.approx(free + tied, rel=1e-12)


def test_equal_event_rates_may_follow_each_other() -> None:
    # rates .2, .2, .5: with a protected attribute that the second cut balances nothing else is needed
    target = [[80, 20], [40, 10], [50, 50]]
    protected = [[50, 50], [20, 30], [40, 60]]
    (point,) = fairness_front(target, protected, eps=math.inf, trend="ascending").points
    assert point.nodes == ((0, 2, 3),)


def test_large_counts_keep_ties_exact() -> None:
    big = 10**10
    target = [[3 * big, big], [6 * big, 2 * big], [big, big]]
    protected = [[5, 5], [4, 6], [7, 3]]
    (point,) = fairness_front(target, protected, eps=math.inf, trend="ascending", max_bins=3).points
    assert point.nodes == ((0, 2, 3),)


def test_holdout_moves_intervals_and_not_points() -> None:
    targets, protecteds = random_tables(4)
    fresh = random_tables(40)
    first = fairness_front(targets, protecteds, n_points=4)
    second = fairness_front(targets, protecteds, n_points=4, holdout=fresh)
    assert first.status.name in {"IN_SAMPLE", "SPARSE"}
    assert any("overstated" in note for note in first.notes)
    assert not any("overstated" in note for note in second.notes)
    assert second.held_out
    assert [p.nodes for p in first.points] == [p.nodes for p in second.points]
    point = second.points[-1]
    k = len(point.features)
    low = 0.0
    estimate = 0.0
    for name, path in zip(point.features, point.nodes, strict=True):
        good, bad = np.array(sums(fresh[0][int(name[-1])], path), dtype=int).T
        found = information_value(good, bad)
        low += found.confidence_interval(1 - 0.05 / k)[0]
        estimate += found.estimate_smoothed
    assert point.target_ci.low == pytest.approx(low)
    assert point.held_out_target == pytest.approx(estimate)
    assert first.points[-1].held_out_target is None


def test_held_out_protected_counts_in_one_bin_say_nothing() -> None:
    target = [[50, 10], [40, 20], [30, 30]]
    protected = [[10, 50], [30, 30], [40, 20]]
    held = [[20, 20], [0, 0], [0, 0]]
    (point,) = fairness_front(target, protected, eps=math.inf, max_bins=3, holdout=(target, held)).points
    assert point.protected_ci == (0.0, math.inf)
    assert point.pvalue == 1.0


def test_zero_cells_of_the_target() -> None:
    target = [[30, 0], [40, 20], [0, 30]]
    protected = [[10, 30], [30, 30], [20, 10]]
    (strict,) = fairness_front(target, protected, eps=math.inf).points
    assert strict.features == ()
    (smooth,) = fairness_front(target, protected, eps=math.inf, smoothing=0.5).points
    assert smooth.target_iv == pytest.approx(jeffreys([30.5, 40.5, 0.5], [0.5, 20.5, 30.5]), rel=1e-13)
    assert smooth.nodes == ((0, 1, 2, 3),)


def test_protected_zero_cells_without_smoothing_are_not_allowed() -> None:
    target = [[40, 10], [40, 20], [30, 30]]
    protected = [[0, 30], [30, 30], [20, 10]]
    (point,) = fairness_front(target, protected, eps=math.inf, protected_smoothing=0).points
    assert point.nodes == ((0, 2, 3),)


@pytest.mark.parametrize("z", [None, 1.0])
def test_no_time_is_reported_with_a_bound(z: float | None) -> None:
    targets, protecteds = random_tables(0)
    rows = all_choices(targets, protecteds, 3, None, 2)
    spent = rows[:, 1] + (z or 0.0) * np.sqrt(rows[:, 2])
    eps = 0.3 * float(spent[np.argmax(rows[:, 0])])
    front = fairness_front(targets, protecteds, eps=eps, max_bins=3, time_limit=1e-9, z=z)
    (point,) = front.points
    best = rows[spent <= eps, 0].max()
    assert front.status.name == "TIME_LIMIT"
    assert not point.optimal
    assert point.target_iv <= best <= point.bound * (1 + 1e-12)
    assert point.gap == pytest.approx(point.bound - point.target_iv)
    assert point.gap > 0


def test_round_trip_frame_and_summary() -> None:
    targets, protecteds = random_tables(6)
    for extra in ({}, {"z": 1.0, "holdout": random_tables(60)}):
        front = fairness_front(targets, protecteds, eps=[0.01, math.inf, 0.3], names=["age", "sum"], **extra)
        again = FrontResult.from_json(front.to_json())
        assert again == front
        assert again.points[1].splits == front.points[1].splits
        frame = front.to_frame()
        assert list(frame["eps"]) == [0.01, 0.3, math.inf]
        assert ("protected_upper" in frame) == bool(extra)
        assert "eps 0.3" in front.summary()
        assert "age" in frame["features"].iloc[-1]


def test_plot_shows_every_point() -> None:
    from matplotlib.figure import Figure

    targets, protecteds = random_tables(6)
    for limit in (60.0, 1e-9):
        front = fairness_front(targets, protecteds, n_points=5, time_limit=limit)
        ax = Figure().add_subplot()
        assert front.plot(ax) is ax
        drawn = [line for line in ax.lines if line.get_marker() == "o"]
        assert sum(len(line.get_xdata()) for line in drawn) == len(front.points)
    assert "not proven optimal" in [text.get_text() for text in ax.get_legend().get_texts()]


GOOD = [[50, 10], [40, 20], [30, 30]]


@pytest.mark.parametrize(
    ("target", "protected", "options", "error", "match"),
    [
        (GOOD, GOOD[:2], {}, ValueError, r"protected\['feature 0'\] has shape \(2, 2\)"),
        (GOOD, [GOOD, GOOD], {}, ValueError, "protected has 2 tables and target has 1"),
        ({"a": GOOD}, [GOOD], {}, TypeError, "protected is a sequence of tables and target is a mapping"),
        ([GOOD], {"a": GOOD}, {}, TypeError, "protected is a mapping and target is a sequence of tables"),
        ({"a": GOOD}, {"b": GOOD}, {}, ValueError, "differ in the features 'a', 'b'"),
        ({1: GOOD}, {1: GOOD}, {}, TypeError, "has the key 1"),
        ({}, {}, {}, ValueError, "at least one feature"),
        (5, GOOD, {}, TypeError, "target is of type int"),
        (np.ones(4), GOOD, {}, ValueError, r"target has shape \(4,\)"),
        ([[1, 2, 3]], GOOD, {}, ValueError, r"shape \(1, 3\)"),
        ([[50, -1], [40, 20], [30, 30]], GOOD, {}, ValueError, ">= 0"),
        ([[50, math.nan], [40, 20], [30, 30]], GOOD, {}, ValueError, "nan"),
        ([[50, 0.5], [40, 20], [30, 30]], GOOD, {}, ValueError, "whole counts"),
        ([[50, 0], [40, 0], [30, 0]], GOOD, {}, ValueError, "at least one observation"),
        (GOOD, GOOD, {"eps": -0.1}, ValueError, "eps is -0.1"),
        (GOOD, GOOD, {"eps": math.nan}, ValueError, "eps"),
        (GOOD, GOOD, {"eps": []}, ValueError, "eps.shape"),
        (GOOD, GOOD, {"eps": ["a"]}, TypeError, "eps"),
        (GOOD, GOOD, {"n_points": 1}, ValueError, "n_points"),
        (GOOD, GOOD, {"max_bins": 1}, ValueError, "max_bins"),
        (GOOD, GOOD, {"max_bins": 2.0}, TypeError, "max_bins"),
        (GOOD, GOOD, {"max_features": 0}, ValueError, "max_features"),
        (GOOD, GOOD, {"min_share": 1.0}, ValueError, "min_share"),
        (GOOD, GOOD, {"trend": "up"}, ValueError, "trend"),
        (GOOD, GOOD, {"trend": {"age": "auto"}}, ValueError, "trend is 'age'"),
        (GOOD, GOOD, {"z": 0}, ValueError, "z is 0"),
        (GOOD, GOOD, {"level": 1.0}, ValueError, "level"),
        (GOOD, GOOD, {"names": ["a", "b"]}, ValueError, "1 different names"),
        ({"a": GOOD}, {"a": GOOD}, {"names": ["a"]}, ValueError, "names is given"),
        (GOOD, GOOD, {"names": [1]}, TypeError, "names holds 1"),
        (GOOD, GOOD, {"holdout": GOOD}, TypeError, "holdout"),
        (GOOD, GOOD, {"holdout": (GOOD, GOOD[:2])}, ValueError, r"holdout\[1\]"),
        (GOOD, GOOD, {"smoothing": -1}, ValueError, "smoothing"),
        (GOOD, GOOD, {"protected_smoothing": math.inf}, ValueError, "protected_smoothing"),
        (GOOD, GOOD, {"method": "greedy"}, ValueError, "method"),
        (GOOD, GOOD, {"time_limit": 0}, ValueError, "time_limit"),
    ],
)
def test_errors_name_argument_and_remedy(
    target: Any, protected: Any, options: dict[str, Any], error: type[Exception], match: str
) -> None:
    with pytest.raises(error, match=match):
        fairness_front(target, protected, **options)


def test_german_credit_by_sex() -> None:
    folder = Path(os.environ.get("ASYMPTOPIA_DATA") or Path(__file__).parents[5] / "shared" / "data")
    path = folder / "credit" / "german.csv"
    if not path.is_file():
        pytest.skip(f"no German credit data at {path}; set ASYMPTOPIA_DATA to the folder of data sets")
    data = pd.read_csv(path)
    women, bad = data["sex"] == "female", data["risk"] == 0
    target, protected = {}, {}
    for name in ("age", "duration", "credit_amount"):
        prebin = pd.qcut(data[name], 10, duplicates="drop").cat.codes
        target[name], protected[name] = (
            np.stack([np.bincount(prebin[~side]), np.bincount(prebin[side])], axis=1) for side in (bad, women)
        )
    front = fairness_front(target, protected, eps=[0.005, math.inf], max_bins=4, min_share=0.05)
    small, free = front.points
    assert small.optimal
    assert free.optimal
    # women are younger in these data: most of what the free binning tells about sex, it tells through age
    assert "age" not in small.features
    assert dict(zip(free.features, free.protected_ivs, strict=True))["age"] > 0.7 * free.protected_iv
    assert small.protected_ci.high < free.protected_ci.low

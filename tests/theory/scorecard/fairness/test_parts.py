"""Parts of the search: terms of segments, fronts of partitions, the Lagrangian bound, the way past the limits."""

from __future__ import annotations

import math

import numpy as np
import pytest

from asymptopia.theory.scorecard.fairness.choices import Budget, bracket, graph_oracle, items_oracle
from asymptopia.theory.scorecard.fairness.labels import Clock, LabelLimitError, best_partitions, undominated
from asymptopia.theory.scorecard.fairness.segments import Graph, build_graphs
from asymptopia.theory.scorecard.fairness.solve import Solver
from asymptopia.theory.scorecard.inference import jeffreys
from asymptopia.theory.scorecard.sampling import IndependentSamples


def tables(seed: int, features: int, prebins: int) -> list[tuple[np.ndarray, np.ndarray]]:
    rng = np.random.default_rng(seed)
    return [(rng.poisson([[60, 20]] * prebins), rng.poisson(rng.uniform(5, 40, (prebins, 2)))) for _ in range(features)]


def graphs_of(seed: int = 0, features: int = 3, prebins: int = 7, trends: tuple[int, ...] = (0,)) -> list[list[Graph]]:
    return [
        build_graphs(f, target, protected, trends, min_share=0.0, smoothing=0.0, protected_smoothing=0.5)
        for f, (target, protected) in enumerate(tables(seed, features, prebins))
    ]


def test_terms_sum_to_the_divergence_and_its_variance() -> None:
    target, protected = tables(1, 1, 6)[0]
    (graph,) = build_graphs(0, target, protected, (0,), min_share=0.0, smoothing=0.0, protected_smoothing=0.0)
    nodes = np.array([0, 2, 3, 6])
    at = (nodes[:-1], nodes[1:])
    x, y = np.add.reduceat(protected, nodes[:-1], axis=0).T.astype(float)
    assert graph.cost[at].sum() == pytest.approx(jeffreys(x, y), rel=1e-13)
    p, q = x / x.sum(), y / y.sum()
    forward, backward = (p * np.log(p / q)).sum(), (q * np.log(q / p)).sum()
    variance = IndependentSamples(x, y).moments(0.0).variance
    assert graph.variance[at].sum() - forward**2 / x.sum() - backward**2 / y.sum() == pytest.approx(variance, rel=1e-12)


def test_equal_shares_cost_exactly_nothing() -> None:
    protected = np.array([[3, 9], [7, 21], [11, 33]])
    target = np.array([[10, 5], [10, 6], [10, 7]])
    (graph,) = build_graphs(0, target, protected, (0,), min_share=0.0, smoothing=0.0, protected_smoothing=0.0)
    assert (graph.cost == 0).all()
    assert (graph.variance == 0).all()
    assert not graph.allowed[0, 3]


def test_undominated_rows_in_two_and_three_criteria() -> None:
    rng = np.random.default_rng(0)
    rows = rng.integers(0, 6, (200, 3)).astype(float)
    for spread in (False, True):
        used = rows if spread else np.column_stack([rows[:, :2], np.zeros(len(rows))])
        signed = used * [-1, 1, 1]
        wanted = {
            tuple(row) for row in signed if not any((other <= row).all() and (other < row).any() for other in signed)
        }
        kept = undominated(rows, spread)
        assert {tuple(row) for row in signed[kept]} == wanted
        assert len(kept) == len(wanted)


@pytest.mark.parametrize("trends", [(0,), (1,), (1, -1)])
def test_both_oracles_give_the_same_supported_values(trends: tuple[int, ...]) -> None:
    graphs = graphs_of(trends=trends)
    clock = Clock(60.0)
    items = [best_partitions(part, 4, spread=False, limit=10**5, clock=clock, most=math.inf) for part in graphs]
    for most in (2, 3):
        listed, dynamic = items_oracle(items, most), graph_oracle(graphs, 4, most)
        for mu in (0.0, 0.3, 1.0, 2.5, 20.0, math.inf):
            a, b = listed(mu, 0.0), dynamic(mu, 0.0)
            price = mu if math.isfinite(mu) else 0.0
            assert a.gain - price * a.cost == pytest.approx(b.gain - price * b.cost, rel=1e-12, abs=1e-14)
        top = listed(0.0, 0.0).cost
        for part in (0.1, 0.5, 0.9):
            first, second = (bracket(best, 0.0, part * top) for best in (listed, dynamic))
            assert first.bound == pytest.approx(second.bound, rel=1e-12)
            assert first.choice.cost <= part * top * (1 + 1e-12)


@pytest.mark.parametrize("z", [0.0, 1.0])
@pytest.mark.parametrize("trends", [(0,), (1, -1)])
def test_past_the_limits_the_programme_takes_over(z: float, trends: tuple[int, ...]) -> None:
    graphs = graphs_of(3, trends=trends)
    exact = Solver(graphs, 4, 3, z, "auto")
    exact.prepare(math.inf, Clock(60.0))
    top = exact.unconstrained()
    eps = 0.4 * (top.cost + z * math.sqrt(top.variance))
    wanted = exact.point(eps, None, Clock(60.0))
    assert (wanted.method, wanted.optimal) == ("labels", True)
    for limits in ({"labels": 3}, {"combinations": 1}):
        other = Solver(graphs, 4, 3, z, "auto", **limits)
        other.prepare(math.inf, Clock(60.0))
        found = other.point(eps, None, Clock(60.0))
        assert found.method == "milp"
        assert Budget(eps, z, 3).holds(found.choice)
        assert found.choice.gain <= wanted.choice.gain * (1 + 1e-12)
        assert found.bound >= wanted.choice.gain * (1 - 1e-9)
        if z == 0:
            assert found.choice.gain == pytest.approx(wanted.choice.gain, rel=2e-6)
            assert found.optimal
    only = Solver(graphs, 4, 3, z, "labels", combinations=1)
    only.prepare(math.inf, Clock(60.0))
    open_ended = only.point(eps, None, Clock(60.0))
    assert not open_ended.optimal
    assert open_ended.bound >= wanted.choice.gain * (1 - 1e-12)


def test_labels_stop_at_the_deadline() -> None:
    with pytest.raises(LabelLimitError):
        best_partitions(graphs_of()[0], 4, spread=False, limit=10**5, clock=Clock(-1.0), most=math.inf)


def test_chord_and_tangent_enclose_the_budget() -> None:
    budget = Budget(0.3, 1.645, 5)
    variance = np.linspace(0, (0.3 / 1.645) ** 2, 50)
    cost = 0.3 - 1.645 * np.sqrt(variance)
    assert (cost + budget.outer_weight * variance <= 0.3 * (1 + 1e-12)).all()
    for s in (0.01, 0.1, 0.18):
        weight, rhs = budget.inner(s)
        inside = np.maximum(rhs - weight * variance, 0.0)
        kept = rhs - weight * variance >= 0
        assert (inside[kept] + 1.645 * np.sqrt(variance[kept]) <= 0.3 * (1 + 1e-12)).all()

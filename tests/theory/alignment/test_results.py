"""What every result of the package can do: text, JSON, frame, figure, read-only arrays, a status."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure

import asymptopia.theory.alignment as package
from asymptopia.theory._core.result import Result
from asymptopia.theory._core.status import Status

P, R = [0.25, 0.25, 0.4, 0.1], [0.3, -1.2, 0.9, 2.5]
TERNARY = [0.5, 0.3, 0.2], [0.0, 1.0, 2**0.5]
D = np.linspace(0.3, 3.0, 12)
CHAIN = [[0.9, 0.1], [0.4, 0.6]]
SEQUENCE = package.best_of_n_memoryless(*TERNARY, m=30, delta=0.2)


@cache
def examples() -> tuple[Result, ...]:
    rng = np.random.default_rng(0)
    x = rng.standard_normal((20, 16))
    return (
        package.tilt(P, R, kl=0.3),
        package.tilt(P, R, kl=9.0),
        package.kl_frontier(P, R, [0.0, 0.5, 3.0]),
        package.closeness([0.2, 0.2, 0.3, 0.3], P, R, alpha=0.5),
        package.regularized_policy(P, R, beta=2.0, divergence="chi2"),
        package.markov_tilt(CHAIN, [0, 1], kl=0.1),
        package.best_of_n(P, R, n=8),
        package.best_of_n(P, R, log_n=2000.0),
        SEQUENCE,
        package.best_of_n_memoryless([0.7, 0.3], [0, 1], m=20, delta=0.0),
        package.best_of_n_gaussian(m=100, delta=0.2),
        package.best_of_n_gaussian(m=3, n=1.5),
        SEQUENCE.asymptotic(1),
        SEQUENCE.asymptotic(3),
        package.best_of_n_memoryless([0.7, 0.3], [0, 1], m=20, delta=0.2).asymptotic(2),
        package.equivalence_gap([0.7, 0.3], [0, 1], delta=0.1, m=[20, 40]),
        package.blockwise_best_of_n(*TERNARY, m=20, block=5, n=8),
        package.soft_best_of_n(P, R, lam=0.8, n=4),
        package.bon_divergences(8),
        package.bon_divergences([1, 2, 64]),
        package.bon_divergences(log_n=[1.0, 900.0]),
        package.bon_shortfall([2, 3, 128]),
        package.bon_shortfall(2),
        package.best_of_poisson([0.0, 1.0, 5.0]),
        package.best_of_poisson(3.0),
        package.uniform_optimum(win_rate=[0.3, 0.5, 0.9]),
        package.uniform_optimum(kl=1.0),
        package.gold_along_frontier(P, R, [0, 1, 2, -3], kl=[0.0, 0.5, 2.0]),
        package.gold_along_frontier(P, R, [0, 1, 2, -3], kl=0.5),
        package.gold_peak(P, R, [0, 1, 2, -3]),
        package.overoptimization_fit(D**2, D * (1 - 0.25 * D) + 0.01 * rng.standard_normal(12), kind="bon"),
        package.frontier_from_rewards(x, kl=[0.05, 0.2]),
        package.bon_curve(x, gold=-x, n=[1, 2, 4], rng=0),
        package.kl_from_logprobs(x.ravel(), "k1"),
        package.kl_from_logprobs([0.1], "k3"),
        package.bon_report(package.simulate_rewards(30, 8), gold="gold", logp="logp", rng=0),
    )


def name(index: int) -> str:
    return f"{index}-{type(examples()[index]).__name__}"


ALL = [pytest.param(i, id=name(i)) for i in range(len(examples()))]


def arrays(value: Any) -> Iterator[np.ndarray]:
    if isinstance(value, np.ndarray):
        yield value
    elif isinstance(value, tuple):
        for item in value:
            yield from arrays(item)
    elif isinstance(value, Result):
        for field in value.__dataclass_fields__:
            yield from arrays(getattr(value, field))


def test_every_public_result_has_an_example() -> None:
    public = {kind for kind in (getattr(package, item) for item in package.__all__) if isinstance(kind, type)}
    kinds = {kind for kind in public if issubclass(kind, Result)}
    assert kinds == {type(result) for result in examples()}


@pytest.mark.parametrize("index", ALL)
def test_json_brings_back_an_equal_result_with_arrays_that_cannot_be_written(index: int) -> None:
    result = examples()[index]
    back = type(result).from_json(result.to_json())
    assert back == result
    assert type(back) is type(result)
    assert hash(back) == hash(result)
    for found in (result, back):
        assert all(not array.flags.writeable for array in arrays(found))


@pytest.mark.parametrize("index", ALL)
def test_text_frame_and_status(index: int) -> None:
    result = examples()[index]
    assert isinstance(result.status, Status)
    text = result.summary()
    assert text.startswith(result.title)
    assert str(result.status) in text
    assert "<table" in result._repr_html_()
    frame = result.to_frame()
    assert len(frame) >= 1
    assert len(set(frame.columns)) == frame.shape[1] > 1


@pytest.mark.parametrize("index", ALL)
def test_figure_has_labelled_axes(index: int) -> None:
    ax = Figure().add_subplot()
    found = examples()[index].plot(ax)
    assert found is ax
    assert isinstance(found, Axes)
    assert ax.get_xlabel() or [tick.get_text() for tick in ax.get_xticklabels()]
    assert ax.has_data()
    # a divergence on an axis has its unit
    for label in (ax.get_xlabel(), ax.get_ylabel()):
        assert "KL" not in label or "nats" in label


def test_figures_draw_the_numbers_of_the_result() -> None:
    gap = package.best_of_n_gaussian(m=100, delta=0.2)
    ax = gap.plot(Figure().add_subplot())
    reference, best, optimum = (np.asarray(line.get_xydata(), dtype=float) for line in ax.lines)
    assert reference[np.argmax(reference[:, 1]), 0] == pytest.approx(0.0, abs=0.01)
    assert optimum[np.argmax(optimum[:, 1]), 0] == pytest.approx(gap.alpha, abs=0.01)
    # the density itself has the mean of the result, and integrates to 1
    r = np.linspace(-20.0, 200.0, 40001)
    density = np.exp(gap.log_density(r))
    assert density.sum() * (r[1] - r[0]) == pytest.approx(1.0, rel=1e-10)
    assert (density * r).sum() * (r[1] - r[0]) == pytest.approx(gap.mean_reward, rel=1e-10)
    assert best[:, 1].max() == 1.0

    chain = package.markov_tilt(CHAIN, [0, 1], kl=0.1)
    bars = [bar.get_height() for bar in chain.plot(Figure().add_subplot()).patches]
    assert bars == pytest.approx([0.8, 0.2, *chain.stationary])

    blocks = package.blockwise_best_of_n(*TERNARY, m=20, block=5, n=8)
    points = [line.get_xydata()[0].tolist() for line in blocks.plot(Figure().add_subplot()).lines[1:]]
    assert points[1] == pytest.approx([blocks.kl / 20, blocks.mean_reward / 20])
    assert points[2] == pytest.approx([blocks.kl / 20, blocks.frontier_reward / 20])

    poisson = package.best_of_poisson([1.0, 5.0]).plot(Figure().add_subplot())
    curve, points_of_poisson = (np.asarray(poisson.lines[i].get_xydata(), dtype=float) for i in (0, 2))
    # below the optimum at the same divergence
    assert (points_of_poisson[:, 1] < np.interp(points_of_poisson[:, 0], curve[:, 0], curve[:, 1]) + 1e-4).all()

    sizes = package.bon_divergences([2, 64]).plot(Figure().add_subplot())
    assert sizes.lines[0].get_ydata() == pytest.approx(package.bon_divergences([2, 64]).kl)
    assert (sizes.get_xscale(), sizes.get_yscale()) == ("log", "log")

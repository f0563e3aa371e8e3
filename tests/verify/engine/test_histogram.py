"""Histograms: exact counts, any split, the same replicates as a run."""

from __future__ import annotations

import bisect
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from asymptopia import verify
from asymptopia.verify.device.elementary import log
from asymptopia.verify.device.stream import Stream, uniform
from asymptopia.verify.engine.histogram import place


@given(st.floats(allow_nan=False), st.lists(st.floats(-1e9, 1e9), min_size=1, max_size=20, unique=True))
def test_place_is_bisection(x: float, edges: list[float]) -> None:
    edges = sorted(edges)
    assert place(x, edges, len(edges) + 1) == bisect.bisect_right(edges, x)


def test_no_number_has_its_own_place() -> None:
    assert place(math.nan, [0.0, 1.0], 3) == 3
    assert place(math.inf, [0.0, 1.0], 3) == 2
    assert place(-math.inf, [0.0, 1.0], 3) == 0


@verify.check(theory=1.0, delta=0.1, delta_reason="stated band", sd=1.0, mutants={"2": 2.0})
def waiting(stream: Stream, params: list[float]) -> float:
    """An exponential waiting time."""
    u, _ = uniform(stream, 0)
    return -log(u)


def test_counts_follow_the_law_and_no_split_matters() -> None:
    edges = np.array([0.1, 0.5, 1.0, 2.0, 4.0])
    found = verify.histogram(waiting, "value", edges, replicates=200_000, rng=3, threads=1)
    again = verify.histogram(waiting, "value", edges, replicates=200_000, rng=3, threads=3)
    assert (found.counts == again.counts).all()
    assert found.counts.sum() == 200_000
    assert found.nonfinite == 0
    cdf = np.concatenate([[0.0], 1 - np.exp(-edges), [1.0]])
    expected = 200_000 * np.diff(cdf)
    # chi-square on 5 degrees of freedom: 35 has probability 1.5e-6
    assert float(((found.counts - expected) ** 2 / expected).sum()) < 35


def test_plain_python_counts_the_same() -> None:
    settings = {"edges": [0.5, 1.0], "replicates": 500, "rng": 1}
    compiled = verify.histogram(waiting, "value", **settings)
    plain = verify.histogram(waiting, "value", target="python", **settings)
    assert (compiled.counts == plain.counts).all()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"edges": [1.0, 1.0]}, "edges is"),
        ({"edges": []}, "edges is"),
        ({"edges": [math.nan]}, "edges"),
        ({"statistic": "other"}, "one of value"),
        ({"replicates": 0}, "replicates is 0"),
        ({"case": "other"}, "case is 'other'"),
    ],
)
def test_bad_arguments(change: dict[str, object], message: str) -> None:
    settings: dict[str, object] = {"statistic": "value", "edges": [1.0], "replicates": 10, **change}
    with pytest.raises(ValueError, match=message):
        verify.histogram(waiting, **settings)

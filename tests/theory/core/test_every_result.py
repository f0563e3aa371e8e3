"""Every result class of the package: pickles, copies, JSON, frames, text and the Axes it draws into."""

from __future__ import annotations

import copy
import inspect
import json
import pickle
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import fields
from typing import Any

import numpy as np
import pytest
from matplotlib.figure import Figure
from result_examples import EXAMPLES, classes, example, kind

from asymptopia.theory._core.lazy import resolve
from asymptopia.theory._core.result import Result
from asymptopia.theory._core.status import Status


def arrays(value: Any) -> Iterator[np.ndarray]:
    """Yield the arrays among the fields of a result, nested ones too."""
    if isinstance(value, np.ndarray):
        yield value
    elif isinstance(value, Result):
        for item in fields(value):
            yield from arrays(getattr(value, item.name))
    elif isinstance(value, tuple):
        for item in value:
            yield from arrays(item)


def test_every_result_class_has_an_example() -> None:
    assert classes() == sorted(EXAMPLES)


@pytest.mark.parametrize("name", EXAMPLES)
def test_nothing_is_lost_on_the_way(name: str) -> None:
    result = example(name)
    assert type(result) is kind(name)
    ways = (
        pickle.loads(pickle.dumps(result)),
        pickle.loads(pickle.dumps(result, protocol=2)),
        copy.copy(result),
        copy.deepcopy(result),
        type(result).from_json(result.to_json()),
        Result.from_dict(json.loads(json.dumps(result.to_dict(), allow_nan=False))),
    )
    for found in ways:
        assert found is not result
        assert type(found) is type(result)
        assert found == result
        assert hash(found) == hash(result)
        assert found.summary() == result.summary()
        assert not any(array.flags.writeable for array in arrays(found))


@pytest.mark.parametrize("name", EXAMPLES)
def test_frames_and_text(name: str) -> None:
    result = example(name)
    assert isinstance(result.status, Status)
    assert result.summary().startswith(result.title)
    assert result._repr_html_().count("<table") == 1
    frames = [result.to_frame(backend) for backend in ("pandas", "polars")]
    assert [type(frame).__module__.partition(".")[0] for frame in frames] == ["pandas", "polars"]
    assert frames[0].shape == frames[1].shape
    assert frames[0].shape[0] >= 1
    assert list(frames[0].columns) == list(frames[1].columns)


@pytest.mark.parametrize("name", [name for name in EXAMPLES if kind(name).plotter])
def test_figures_are_drawn_into_the_axes_given(name: str) -> None:
    result = example(name)
    taken = inspect.signature(resolve(result.plotter)).parameters["ax"]  # type: ignore[arg-type]
    assert taken.default is None
    figure = Figure()
    left, right = figure.subplots(1, 2)
    assert result.plot(left) is left
    assert left.has_data()
    assert not right.has_data()
    # the Axes are one argument of the result, too
    assert list(inspect.signature(type(result).plot).parameters)[1] == "ax"


def test_pickles_are_read_by_another_process() -> None:
    names = ["kde.mise:MISEBandwidth", "scorecard.results:IVResult", "scaling.fit_result:ScalingLawResult"]
    data = pickle.dumps([example(name) for name in names])
    code = "import pickle, sys; print([hash(item) == hash(type(item).from_json(item.to_json())) for item in " + (
        "pickle.load(sys.stdin.buffer)], len([name for name in sys.modules if name.startswith('matplotlib')]))"
    )
    done = subprocess.run([sys.executable, "-c", code], input=data, capture_output=True, check=True)
    assert done.stdout.decode().split() == ["[True,", "True,", "True]", "0"]

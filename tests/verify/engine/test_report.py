"""Reports: the path of each verdict, JSON and back, data frames, matplotlib."""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np
import pytest
from sample_report import sample

from asymptopia.verify import Case, Check, Kernel, Mutant, Report, Target, run
from asymptopia.verify.device.stream import Stream, uniform_pair
from asymptopia.verify.engine.svg import figure


def two_uniforms(stream: Stream, params: list[float]) -> tuple[float, float]:
    u, v, _ = uniform_pair(stream, 0)
    return u, v + params[0]


def rare(stream: Stream, params: list[float]) -> float:
    # not finite in about one of 4000 replicates: some looks have an interval, the last has not
    u, _, _ = uniform_pair(stream, 0)
    return 1.0 / (0.0 if u < params[0] else 1.0)


def check(kernel: Kernel | None = None, params: tuple[float, ...] = (0.3,), theory: float = 0.5) -> Check:
    kernel = kernel or Kernel(two_uniforms, ("u", "v"))
    mutants: tuple[Mutant, ...] = (Mutant(name="0.6", theory=0.6),)
    if len(kernel.statistics) > 1:
        mutants = (*mutants, Mutant(name="the other", statistic="v"))
    target = Target(
        name="mean",
        statistic=kernel.statistics[0],
        theory=theory,
        delta=0.01,
        delta_reason="stated band",
        sd=0.3,
        mutants=mutants,
    )
    case = Case(name="case", params=params, targets=(target,), budget=1 << 17)
    return Check(id="test.path", statement="A known mean", kernel=kernel, cases=lambda _: (case,))


@pytest.fixture(scope="module")
def report() -> Report:
    return run(check())


def test_the_path_ends_where_the_verdict_fell(report: Report) -> None:
    (entry,) = report.entries
    assert entry.interval is not None
    assert entry.path[-1] == (entry.replicates, entry.estimate, *entry.interval)
    counts = [n for n, *_ in entry.path]
    assert counts[0] == 1024
    assert counts == sorted(set(counts))
    # every look but the last left the question open
    assert all(not (low > 0.49 and high < 0.51) for _, _, low, high in entry.path[:-1])


def test_only_a_mutant_of_another_statistic_has_a_path(report: Report) -> None:
    same, other = report.entries[0].mutants
    assert same.path == ()
    assert other.interval is not None
    assert other.path[-1] == (other.replicates, other.estimate, *other.interval)


def test_a_look_without_an_interval_is_in_the_path() -> None:
    kernel = Kernel(rare, ("x",))
    (entry,) = run(check(kernel, (1 / 4096,), theory=1.5)).entries
    assert entry.status == "inconclusive"
    assert entry.interval is None
    assert math.isnan(entry.path[-1][2])
    data = json.loads(run(check(kernel, (1 / 4096,), theory=1.5)).to_json())
    assert data["checks"][0]["path"][-1][2:] == [None, None]


def test_json_round_trip(report: Report) -> None:
    for given in (report, sample()):
        data = given.to_dict()
        back = Report.from_json(given.to_json())
        assert back.to_dict() == data
        assert back.summary() == given.summary()
        assert back.exit_code == given.exit_code
        assert [figure(e, "t") for e in back.entries] == [figure(e, "t") for e in given.entries]
        assert json.loads(given.to_json(indent=None)) == data
    assert Report.from_dict(report.to_dict()) == report


def test_a_path_takes_a_line_for_each_look(report: Report) -> None:
    lines = report.to_json().splitlines()
    assert sum(line.strip().startswith("[ 1024,") for line in lines) == 2


def test_a_report_from_before_the_path_is_read(report: Report) -> None:
    data = report.to_dict()
    for name in ("path", "claim", "sums"):
        del data["checks"][0][name]
    (entry,) = Report.from_dict(data).entries
    assert entry.path == ()
    assert entry.claim == "equal"


def damaged(change: Any) -> Any:
    data = json.loads(sample().to_json())
    change(data)
    return data


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ([], "no 'schema'"),
        ({}, "no 'schema'"),
        (damaged(lambda d: d.update(schema=99)), "schema 99; this version reads schema 1"),
        (damaged(lambda d: d.pop("seed")), "'seed' is missing"),
        (damaged(lambda d: d.update(seed=True)), "'seed' is True; expected int"),
        (damaged(lambda d: d.update(manifest=None)), "'manifest' is None"),
        (damaged(lambda d: d.update(checks={})), "'checks' is"),
        (damaged(lambda d: d["checks"].append(3)), r"checks\[11\]: expected an object"),
        (damaged(lambda d: d["checks"][2].pop("theory")), r"checks\[2\]: the field 'theory' is missing"),
        (damaged(lambda d: d["checks"][0].update(theory="2")), "'theory' is '2'; expected float"),
        (damaged(lambda d: d["checks"][0].update(status="maybe")), "'status' is 'maybe'; expected one of pass"),
        (damaged(lambda d: d["checks"][0].update(claim="not")), "'claim' is 'not'"),
        (damaged(lambda d: d["checks"][0].update(interval=[1])), "'interval' is"),
        (damaged(lambda d: d["checks"][0].update(path=[[1, 2, 3]])), "'path' is"),
        (damaged(lambda d: d["checks"][0].update(path=5)), "'path' is 5"),
        (damaged(lambda d: d["checks"][0].update(mutants=[{}])), "'mutants' is"),
    ],
)
def test_what_is_no_report_is_refused(data: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Report.from_dict(data)


@pytest.mark.parametrize("backend", ["pandas", "polars"])
def test_data_frame(backend: str, report: Report) -> None:
    pytest.importorskip(backend)
    frame = report.to_frame(backend)
    assert frame.shape[0] == 1
    columns = {name: frame[name].to_list()[0] for name in frame.columns}
    (entry,) = report.entries
    assert columns["id"] == entry.id
    assert (columns["low"], columns["high"]) == entry.interval
    assert columns["mutants"] == columns["mutants_rejected"] == 2
    assert sample().to_frame(backend).shape == (len(sample().entries), frame.shape[1])


def test_an_unknown_target_names_the_nearest(report: Report) -> None:
    with pytest.raises(KeyError, match=r"near: test\.path\[case\]\.mean"):
        report.entry("test.path[case].median")


def test_plot_shows_the_picture(report: Report) -> None:
    matplotlib = pytest.importorskip("matplotlib")
    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    for given in (report, sample()):
        for entry in given.entries:
            ax = given.plot(entry.id)
            ax.figure.canvas.draw()
            image = np.asarray(ax.figure.canvas.buffer_rgba())
            assert image.std() > 1
            assert ax.get_xscale() == "log"
            plt.close(ax.figure)
    figure_, ax = plt.subplots()
    assert report.plot(report.entries[0].id, ax=ax) is ax
    low, high = ax.get_ylim()
    assert low < -1 < 1 < high
    plt.close(figure_)

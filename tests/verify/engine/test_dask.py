"""The cluster pool: the same integers as threads, also after a worker is lost; and what is said without Dask."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from asymptopia.verify import Case, Check, Kernel, Mutant, Target, run, select
from asymptopia.verify.device.elementary import log
from asymptopia.verify.device.stream import Stream, uniform
from asymptopia.verify.engine.dask import BLOCKS, ClusterPool
from asymptopia.verify.engine.pool import Pool
from asymptopia.verify.engine.task import Task


def waiting(stream: Stream, params: list[float]) -> float:
    u, _ = uniform(stream, 0)
    return -log(u)


def task() -> Task:
    target = Target(
        name="mean",
        statistic="x",
        theory=1.0,
        delta=0.05,
        delta_reason="stated band",
        sd=1.0,
        mutants=(Mutant(name="far", theory=9.0),),
    )
    case = Case(name="case", params=(), targets=(target,), budget=1 << 18)
    check = Check(id="test.dask", statement="", kernel=Kernel(waiting, ("x",)), cases=lambda _: (case,))
    return Task.of(check, case, 4, "cpu")


@pytest.fixture(scope="module")
def cluster() -> Iterator[Any]:
    distributed = pytest.importorskip("distributed", reason="the extra dask is not installed")
    with (
        distributed.LocalCluster(n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None) as local,
        distributed.Client(local) as client,
    ):
        yield client


@pytest.mark.filterwarnings("default")
@pytest.mark.parametrize("wide", [False, True])
def test_totals_are_those_of_threads(cluster: Any, wide: bool) -> None:
    job = (task().widened() if wide else task()).job
    last = 3 * BLOCKS + 5 if not wide else 7
    told: list[tuple[int, int]] = []
    with ClusterPool(cluster) as pool:
        assert pool.threads == 2
        there = pool.blocks(job, 0, last, lambda low, high, _: told.append((low, high)))
    with Pool(1) as pool_here:
        here = pool_here.blocks(job, 0, last)
    assert there == here
    assert min(told)[0] == 0
    assert sum(high - low for low, high in told) == last


@pytest.mark.filterwarnings("default")
def test_a_run_on_a_cluster_gives_the_same_report(cluster: Any) -> None:
    checks = select(["engine.largest_normal"])
    there = run(list(checks), profile="quick", scheduler=cluster.scheduler.address)
    here = run(list(checks), profile="quick")
    assert [entry.digest for entry in there.entries] == [entry.digest for entry in here.entries]


def test_without_dask_the_extra_is_named() -> None:
    code = (
        "import sys; sys.modules['distributed'] = None\n"
        "from asymptopia._cli import main\n"
        "sys.exit(main(['verify', 'engine.largest_normal', '--scheduler', 'tcp://127.0.0.1:1']))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "asymptopia[dask]" in done.stderr


def test_a_cluster_has_no_other_target() -> None:
    with pytest.raises(ValueError, match="target is 'python'; expected 'cpu' with a scheduler"):
        run(list(select(["engine.largest_normal"])), target="python", scheduler="tcp://127.0.0.1:1")

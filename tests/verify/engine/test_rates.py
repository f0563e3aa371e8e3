"""Error rates of verdicts over many seeds, and runs beside forks and threads."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from asymptopia.verify import Case, Check, Kernel, Mutant, Target, run
from asymptopia.verify.device.elementary import log
from asymptopia.verify.device.stream import Stream, uniform
from asymptopia.verify.engine.exact import Totals
from asymptopia.verify.engine.judge import TargetJudge
from asymptopia.verify.engine.plan import look_schedule
from asymptopia.verify.engine.sequential import Verdict, beta_binomial_interval
from asymptopia.verify.engine.task import Task


def waiting(stream: Stream, params: list[float]) -> float:
    u, _ = uniform(stream, 0)
    return -log(u)


KERNEL = Kernel(waiting, ("x",))


def verdict(theory: float, delta: float, seed: int, alpha: float, budget: int = 1 << 14) -> Verdict:
    """The verdict on the mean of an exponential law, which is 1 and has skewness 2."""
    target = Target(
        name="mean",
        statistic="x",
        theory=theory,
        delta=delta,
        delta_reason="stated band",
        sd=1.0,
        mutants=(Mutant(name="far", theory=9.0),),
    )
    case = Case(name="case", params=(), targets=(target,), budget=budget)
    check = Check(id="test.rates", statement="", kernel=KERNEL, cases=lambda _: (case,))
    task = Task.of(check, case, seed, "cpu")
    judge = TargetJudge(target, task.job.windows, ("x",), alpha)
    totals, done = Totals.empty(1), 0
    for stop in look_schedule(budget):
        totals = totals + task.job.blocks(done, stop)[2]
        done = stop
        judge.look(totals)
        if judge.ruling.settled:
            break
    return judge.ruling.verdict


def test_a_right_theory_is_called_wrong_at_most_at_the_stated_rate() -> None:
    # the truth lies at the very edge of the tolerance, where a wrong FAIL is most likely; alpha is 5 %.
    # 2000 seeds: more than 6.7 % has probability below 3e-4 at the nominal rate
    wrong = sum(verdict(1.02, 0.02, seed, 0.05) is Verdict.FAIL for seed in range(2000))
    assert wrong / 2000 < 0.067


def test_a_theory_moved_by_one_and_a_half_delta_never_passes() -> None:
    assert all(verdict(1.03, 0.02, seed, 0.05) is not Verdict.PASS for seed in range(300))


def test_the_proportion_of_a_rare_event_is_covered_at_every_look() -> None:
    rng = np.random.default_rng(21)
    hits = np.cumsum(rng.random((250, 20_000)) < 0.001, axis=1)
    looks = np.unique(np.geomspace(30, 20_000, 14).astype(int))
    missed = 0
    for row in hits:
        intervals = (beta_binomial_interval(int(row[n - 1]), int(n), alpha=0.05) for n in looks)
        missed += any(not low <= 0.001 <= high for low, high in intervals)
    # 5 % of 250 is 12.5; more than 25 has probability 5e-4
    assert missed <= 25


def small(seed: int) -> str:
    target = Target(
        name="mean",
        statistic="x",
        theory=1.0,
        delta=0.05,
        delta_reason="stated band",
        sd=1.0,
        mutants=(Mutant(name="far", theory=9.0),),
    )
    case = Case(name="case", params=(), targets=(target,), budget=1 << 16)
    check = Check(id="test.beside", statement="", kernel=KERNEL, cases=lambda _: (case,))
    return run([check], rng=seed, threads=2).entries[0].digest


def test_two_threads_may_run_checks_at_once() -> None:
    alone = [small(seed) for seed in range(4)]
    with ThreadPoolExecutor(4) as executor:
        beside = list(executor.map(small, range(4)))
    assert beside == alone
    assert threading.active_count() < 10


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_a_fork_after_a_run_can_run() -> None:
    code = (
        "import os, sys\n"
        "from asymptopia import verify\n"
        "first = verify.run('engine.log_sum_exp', profile='quick', threads=2).entries[0].digest\n"
        "pid = os.fork()\n"
        "if pid == 0:\n"
        "    again = verify.run('engine.log_sum_exp', profile='quick', threads=2).entries[0].digest\n"
        "    os._exit(0 if again == first else 1)\n"
        "sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("name", ["generic", "haswell"])
def test_another_instruction_set_gives_the_same_digits(name: str) -> None:
    import platform

    if platform.machine() not in {"x86_64", "AMD64"}:
        pytest.skip("the names are those of x86-64 processors")
    code = (
        "from asymptopia import verify\n"
        "names = ['engine.largest_normal', 'scorecard.iv_bias']\n"
        "print([entry.digest for entry in verify.run(names, profile='quick').entries])\n"
    )
    runs = [
        subprocess.run(
            [sys.executable, "-c", code],
            capture_output=True,
            text=True,
            check=True,
            env=os.environ | extra,
        ).stdout
        for extra in ({}, {"NUMBA_CPU_NAME": name, "NUMBA_CPU_FEATURES": ""})
    ]
    assert runs[0] == runs[1]


def test_a_cache_folder_that_cannot_be_written_is_no_obstacle() -> None:
    code = "from asymptopia import verify; print(verify.run('engine.largest_normal', profile='quick').exit_code)"
    environment = os.environ | {"ASYMPTOPIA_CACHE_DIR": "/proc/nowhere"}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment)
    assert done.stdout.strip() == "0"

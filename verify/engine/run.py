"""Run checks to their verdicts."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from asymptopia.theory._core.rng import RNG, seed_sequence
from asymptopia.theory._core.validation import choice, probability
from asymptopia.verify.engine.build import compile_kernel, kernel_hash
from asymptopia.verify.engine.check import PROFILES, Case, Check, Profile, unique
from asymptopia.verify.engine.exact import Totals, scale_array
from asymptopia.verify.engine.judge import TargetJudge, windows_of
from asymptopia.verify.engine.plan import BLOCK, look_schedule, replicate_key, spec_hash
from asymptopia.verify.engine.pool import Job, Pool
from asymptopia.verify.engine.report import Entry, MutantEntry, Report
from asymptopia.verify.engine.sequential import Verdict

ALPHA = 1e-3
"""Probability that any theory of a run which is right is ever called wrong."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """What a progress callback is told."""

    case: str
    done: int
    budget: int
    finished: bool


ProgressCallback = Callable[[Progress], None]


def run(
    checks: Iterable[Check],
    *,
    profile: Profile = "standard",
    rng: RNG = 0,
    alpha: float = ALPHA,
    threads: int | None = None,
    target: str = "cpu",
    progress: ProgressCallback | None = None,
) -> Report:
    """Return the report of the checks, each run until its targets and their mutants have a verdict.

    Parameters
    ----------
    checks : iterable of Check
        What to run.
    profile : {"quick", "standard", "exhaustive"}
        Which cases and budgets.
    rng : int, SeedSequence, BitGenerator, Generator or None
        Seed; None draws fresh entropy, which the report states.
    alpha : float
        Probability that any right theory in this run is ever called wrong; split evenly over the targets.
    threads : int, optional
        Threads; every number in the report but the seconds is the same for any.
    target : {"cpu", "python"}
        Where kernels run. ``"python"`` interprets the same source, for debugging.
    progress : callable, optional
        Called with a `Progress` after each look.
    """
    choice("profile", profile, PROFILES)
    probability("alpha", alpha)
    seed = _entropy(rng)
    plan = [(check, case) for check in unique(list(checks)).values() for case in check.cases(profile)]
    share = alpha / max(1, sum(len(case.targets) for _, case in plan))
    entries: list[Entry] = []
    hashes: dict[str, str] = {}
    with Pool(threads) as pool:
        for check, case in plan:
            hashes[check.id] = kernel_hash(check.kernel)
            entries.extend(_run_case(check, case, seed, share, pool, target, progress))
    return Report.of(
        entries=entries, seed=seed, profile=profile, alpha=alpha, device=target, threads=pool.threads, kernels=hashes
    )


def _entropy(rng: RNG) -> int:
    entropy = seed_sequence(rng)
    if isinstance(entropy.entropy, int) and not entropy.spawn_key:
        return entropy.entropy
    return int.from_bytes(entropy.generate_state(4, np.uint32).tobytes(), "little")


def _run_case(
    check: Check, case: Case, seed: int, alpha: float, pool: Pool, target: str, progress: ProgressCallback | None
) -> Iterator[Entry]:
    started = time.perf_counter()
    name = f"{check.id}[{case.name}]"
    statistics = check.kernel.statistics
    windows = windows_of(case, statistics)
    key = replicate_key(seed, name, check.version, case.params)
    job = Job(compile_kernel(check.kernel, target), key, np.array(case.params, dtype=np.float64), windows, BLOCK)
    judges = [TargetJudge(item, windows, statistics, alpha) for item in case.targets]
    totals = Totals.empty(len(statistics))
    done = 0
    for stop in look_schedule(case.budget):
        totals = totals + pool.blocks(job, done, stop)
        done = stop
        for judge in judges:
            judge.look(totals)
        finished = all(judge.settled for judge in judges) or totals.nonfinite > 0 or totals.outside > 0
        if progress is not None:
            progress(Progress(case=name, done=totals.count, budget=case.budget, finished=finished))
        if finished:
            break
    seconds = time.perf_counter() - started
    spec = spec_hash(
        name=name,
        kernel=kernel_hash(check.kernel),
        params=case.params,
        key=key,
        scales=scale_array(windows).tolist(),
        block=BLOCK,
    )
    for judge in judges:
        yield _entry(check, name, judge, spec, seconds / len(judges), target, pool.threads)


def _entry(check: Check, case: str, judge: TargetJudge, spec: str, seconds: float, device: str, threads: int) -> Entry:
    target, ruling = judge.target, judge.ruling
    survivors = [m.name for m, r in judge.mutants if r.verdict is Verdict.PASS]
    undecided = [m.name for m, r in judge.mutants if r.verdict is Verdict.INCONCLUSIVE]
    status, reason = ruling.verdict, ruling.reason
    if status is Verdict.PASS and survivors:
        status, reason = Verdict.FAIL, f"the mutant {survivors[0]!r} passes too: the tolerance is too wide"
    elif status is Verdict.PASS and undecided:
        status, reason = Verdict.INCONCLUSIVE, f"the mutant {undecided[0]!r} was not refuted within the budget"
    return Entry(
        id=f"{case}.{target.name}",
        check=check.id,
        statement=check.statement,
        status=status.value,
        reason=reason,
        theory=target.theory,
        estimate=ruling.estimate,
        interval=ruling.interval,
        delta=target.delta,
        delta_reason=target.delta_reason,
        alpha=judge.alpha,
        replicates=ruling.replicates,
        digest=ruling.digest,
        spec=spec,
        mutant_rejected=judge.mutants_rejected,
        mutants=tuple(
            MutantEntry(
                name=mutant.name,
                theory=r.theory,
                estimate=r.estimate,
                interval=r.interval,
                replicates=r.replicates,
                rejected=r.verdict is Verdict.FAIL,
            )
            for mutant, r in judge.mutants
        ),
        seconds=seconds,
        device=device,
        threads=threads,
    )

"""Run checks to their verdicts."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

import asymptopia
from asymptopia.theory._core.rng import RNG, seed_sequence
from asymptopia.theory._core.validation import choice, fail, probability
from asymptopia.verify.engine.ahead import Ahead
from asymptopia.verify.engine.build import kernel_hash
from asymptopia.verify.engine.check import PROFILES, Case, Check, Profile, unique
from asymptopia.verify.engine.entry import Entry, entry_of
from asymptopia.verify.engine.exact import Totals
from asymptopia.verify.engine.judge import TargetJudge
from asymptopia.verify.engine.ledger import Ledger
from asymptopia.verify.engine.plan import BLOCK, LOOK_RATIO, RNG_VERSION, look_schedule
from asymptopia.verify.engine.pool import Pool, resolve_threads
from asymptopia.verify.engine.report import Report
from asymptopia.verify.engine.source import MissingBlocksError, Source
from asymptopia.verify.engine.targets import resolve, threads_for
from asymptopia.verify.engine.task import Task, Workshop

if TYPE_CHECKING:
    from asymptopia.verify.engine.dask import ClusterPool

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
    ledger: Path | str | None = None,
    resume: bool = False,
    scheduler: str | None = None,
) -> Report:
    """Return the report of the checks, each run until its targets and their mutants have a verdict.

    The arguments are those of `asymptopia.verify.run`, which takes checks by name, too.

    Raises
    ------
    LedgerError
        If the ledger belongs to another run, or is not to be resumed.
    NoDeviceError
        If ``"cuda"`` is asked for and no device can be used; the message names the missing piece.
    """
    target = resolve(target)
    threads = threads_for(target, threads)
    checks = list(checks)
    # the theory's values, too, are worked out while the others compile
    with _ahead(checks, target, threads) as ahead:
        plan = Plan.of(checks, profile=profile, seed=entropy_of(rng), alpha=alpha)
        with _pool(threads, scheduler, target) as pool:
            workshop = Workshop(target, ahead)
            if ledger is None:
                return plan.report(Source(pool), workshop, pool.threads, progress)
            with Ledger(Path(ledger), plan.to_dict(), resume=resume) as book:
                return plan.report(Source(pool, book), workshop, pool.threads, progress)


def _ahead(checks: Iterable[Check], target: str, threads: int | None) -> Ahead:
    kernels = [check.kernel for check in checks] if target == "cpu" else []
    return Ahead(kernels, resolve_threads(threads))


def _pool(threads: int | None, scheduler: str | None, target: str) -> Pool | ClusterPool:
    if scheduler is None:
        return Pool(threads)
    if target != "cpu":
        raise fail("target", target, "'cpu' with a scheduler")
    from asymptopia.verify.engine.dask import ClusterPool

    return ClusterPool(scheduler)


def run_shard(
    checks: Iterable[Check],
    shard: int,
    shards: int,
    *,
    ledger: Path | str,
    profile: Profile = "standard",
    rng: RNG = 0,
    alpha: float = ALPHA,
    threads: int | None = None,
    target: str = "cpu",
    progress: ProgressCallback | None = None,
    resume: bool = False,
) -> int:
    """Run one shard of the whole budget of every case into a ledger; return the number of replicates.

    Parameters
    ----------
    shard, shards : int
        This shard, from 1, and how many there are. Shard i computes the i-th part of every look's blocks.
    checks, ledger, profile, rng, alpha, threads, target, progress, resume
        As in `run`; `rng` must be a seed that all shards share.
    """
    if not 1 <= shard <= shards:
        raise fail("shard", f"{shard}/{shards}", "i/n with 1 <= i <= n")
    target = resolve(target)
    threads = threads_for(target, threads)
    checks = list(checks)
    name = f"shard-{shard}-of-{shards}"
    count = 0
    with _ahead(checks, target, threads) as ahead:
        plan = Plan.of(checks, profile=profile, seed=entropy_of(rng), alpha=alpha)
        workshop = Workshop(target, ahead)
        with Ledger(Path(ledger), plan.to_dict(), shard=name, resume=resume) as book, Pool(threads) as pool:
            source = Source(pool, book)
            for check, case in plan.cases:
                pool.start()
                task = Task.of(check, case, plan.seed, target, workshop)
                looks = [0, *look_schedule(case.budget)]
                for low, high in pairwise(looks):
                    first, last = (task.start + low + (high - low) * part // shards for part in (shard - 1, shard))
                    count += source.blocks(task.job, task.spec, first, last).count
                    if progress is not None:
                        budget = looks[-1] * BLOCK
                        progress(Progress(case=task.name, done=high * BLOCK, budget=budget, finished=high == looks[-1]))
    return count


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What a run is: its cases, seed and error rate."""

    cases: tuple[tuple[Check, Case], ...]
    profile: Profile
    seed: int
    alpha: float

    @classmethod
    def of(cls, checks: Iterable[Check], *, profile: Profile, seed: int, alpha: float) -> Plan:
        """Return the plan of a run of `checks`."""
        choice("profile", profile, PROFILES)
        probability("alpha", alpha)
        cases = [(check, case) for check in unique(list(checks)).values() for case in check.cases(profile)]
        return cls(cases=tuple(cases), profile=profile, seed=seed, alpha=alpha)

    def to_dict(self) -> dict[str, Any]:
        """Return what two ledgers must share to belong to one run."""
        checks = {check.id: check for check, _ in self.cases}
        return {
            "asymptopia": asymptopia.__version__,
            "seed": self.seed,
            "profile": self.profile,
            "alpha": self.alpha,
            "engine": {"rng": RNG_VERSION, "block": BLOCK, "look_ratio": LOOK_RATIO},
            "checks": {name: kernel_hash(check.kernel)[:16] for name, check in checks.items()},
        }

    def report(
        self, source: Source, workshop: Workshop, threads: int, progress: ProgressCallback | None = None
    ) -> Report:
        """Return the report, with totals from `source`."""
        share = self.alpha / max(1, sum(len(case.targets) for _, case in self.cases))
        entries: list[Entry] = []
        kernels: dict[str, str] = {}
        for check, case in self.cases:
            if source.pool is not None:
                source.pool.start()
            task = Task.of(check, case, self.seed, workshop.target, workshop)
            kernels[check.id] = task.kernel
            started = time.perf_counter()
            judges = _judge(task, source, share, progress)
            if any(judge.outside for judge in judges):
                task = task.widened()
                judges = _judge(task, source, share, progress)
            seconds = (time.perf_counter() - started) / len(judges)
            entries.extend(
                entry_of(
                    check=check.id,
                    statement=check.statement,
                    case=task.name,
                    judge=judge,
                    spec=task.spec,
                    seconds=seconds,
                    device=workshop.target,
                    threads=threads,
                    sums="superaccumulator" if task.wide else "fixed point",
                )
                for judge in judges
            )
        return Report.of(
            entries=entries,
            seed=self.seed,
            profile=self.profile,
            alpha=self.alpha,
            device=workshop.target,
            threads=threads,
            kernels=kernels,
        )


def entropy_of(rng: RNG) -> int:
    """Return the seed that `rng` stands for."""
    entropy = seed_sequence(rng)
    if isinstance(entropy.entropy, int) and not entropy.spawn_key:
        return entropy.entropy
    return int.from_bytes(entropy.generate_state(4, np.uint32).tobytes(), "little")


def _judge(task: Task, source: Source, alpha: float, progress: ProgressCallback | None) -> list[TargetJudge]:
    """Return the judges of a case's targets, followed until they are settled or the budget is spent."""
    statistics = task.check.kernel.statistics
    judges = [TargetJudge(item, task.job.windows, statistics, alpha) for item in task.case.targets]
    totals = Totals.empty(len(statistics))
    done = task.start
    for look in look_schedule(task.case.budget):
        stop = task.start + look
        try:
            totals = totals + source.blocks(task.job, task.spec, done, stop)
        except MissingBlocksError as missing:
            for judge in judges:
                judge.excuse(str(missing))
            break
        done = stop
        for judge in judges:
            judge.look(totals)
        finished = all(judge.settled for judge in judges) or totals.nonfinite > 0 or totals.outside > 0
        if progress is not None:
            progress(Progress(case=task.name, done=totals.count, budget=task.case.budget, finished=finished))
        if finished:
            break
    return judges

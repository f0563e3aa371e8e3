"""Repeat what a saved report says, on this machine, and compare the integer totals by their digests."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from asymptopia.theory._core.validation import fail, integer
from asymptopia.verify.engine.check import Check, unique
from asymptopia.verify.engine.entry import Entry
from asymptopia.verify.engine.exact import Moments, Totals
from asymptopia.verify.engine.plan import BLOCK, RNG_VERSION
from asymptopia.verify.engine.pool import Pool
from asymptopia.verify.engine.report import Report
from asymptopia.verify.engine.run import Plan
from asymptopia.verify.engine.targets import resolve, threads_for
from asymptopia.verify.engine.task import Task, Workshop

MAX_BLOCK = (1 << 63) // BLOCK - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """A target, as the report has it and as it came out here.

    Attributes
    ----------
    id : str
        The target.
    replicates : int
        Replicates that its verdict rests on.
    recorded, found : str
        Digests of their totals.
    note : str
        Why they differ, as far as that can be told.
    """

    id: str
    replicates: int
    recorded: str
    found: str
    note: str = ""

    @property
    def equal(self) -> bool:
        """True if every total agrees."""
        return bool(self.recorded) and self.recorded == self.found


@dataclass(frozen=True, slots=True, kw_only=True)
class RangeTotals:
    """Totals of a range of blocks of a case.

    Attributes
    ----------
    case : str
        The case.
    first, last : int
        The blocks ``first .. last - 1``.
    totals : Totals
        What they add up to.
    moments : dict
        Moments of each statistic.
    note : str
        What makes the totals other than the report's, if anything does.
    """

    case: str
    first: int
    last: int
    totals: Totals
    moments: dict[str, Moments]
    note: str

    def to_dict(self) -> dict[str, Any]:
        """Return plain data; integers that JSON readers would round are text."""
        totals = self.totals
        return {
            "case": self.case,
            "blocks": [self.first, self.last],
            "replicates": totals.count,
            "nonfinite": totals.nonfinite,
            "outside": totals.outside,
            "digest": totals.digest(),
            "sums": [[str(value) for value in row] for row in totals.sums],
            "moments": {
                name: {
                    "mean": moments.mean,
                    "variance": moments.variance,
                    "skewness": moments.skewness,
                    "kurtosis": moments.kurtosis,
                }
                for name, moments in self.moments.items()
            },
            "note": self.note,
        }


def compare(
    report: Report,
    entry_id: str | None = None,
    *,
    checks: Iterable[Check] | None = None,
    threads: int | None = None,
    target: str = "cpu",
) -> Iterator[Comparison]:
    """Yield a comparison for each target, once its replicates have been computed again.

    Parameters
    ----------
    report : Report
        What to repeat.
    entry_id : str, optional
        One target; all if None.
    checks : iterable of Check, optional
        The checks of the run; looked up by name if None, which finds those that ship.
    threads : int, optional
        Threads; no total depends on them.
    target : {"cpu", "cuda", "auto", "python", "emulator"}
        Where kernels run.

    Raises
    ------
    KeyError
        If the report has no such target, or a check of it is unknown.
    ValueError
        If the report was made by an engine with other random numbers or blocks.

    Notes
    -----
    The totals are those on which each verdict fell, ``replicates`` in the report; equal digests mean that every
    integer agrees, so that the estimate and the interval do, too.
    """
    target = resolve(target)
    with Pool(threads_for(target, threads)) as pool:
        for task, entries in _tasks(report, entry_id, checks, target):
            note = _note(task, entries[0], report.manifest)
            totals, done, digests = Totals.empty(len(task.job.windows)), task.start, {0: ""}
            pool.start()
            for count in sorted({_blocks(entry) for entry in entries} - {0}):
                totals, done = totals + pool.blocks(task.job, done, task.start + count), task.start + count
                digests[count] = totals.digest()
            for entry in entries:
                found = digests[_blocks(entry)]
                said = note if entry.digest else "no look was recorded"
                if found != entry.digest and not said:
                    said = f"same kernel and parameters, other totals; the report's are of device {entry.device}"
                yield Comparison(
                    id=entry.id, replicates=entry.replicates, recorded=entry.digest, found=found, note=said
                )


def block_totals(
    report: Report,
    first: int,
    last: int,
    entry_id: str | None = None,
    *,
    checks: Iterable[Check] | None = None,
    threads: int | None = None,
    target: str = "cpu",
) -> Iterator[RangeTotals]:
    """Yield the totals of the blocks ``first .. last - 1`` of each case, or of the case of one target.

    Parameters
    ----------
    report : Report
        Where seed, profile and checks are taken from.
    first, last : int
        Blocks, ``first < last``.
    entry_id, checks, threads, target
        As in `compare`, which also says what is raised.
    """
    first, last = integer("first", first, 0, MAX_BLOCK), integer("last", last, 1, MAX_BLOCK)
    if first >= last:
        raise fail("blocks", f"{first}:{last}", "A:B with 0 <= A < B")
    target = resolve(target)
    with Pool(threads_for(target, threads)) as pool:
        for task, entries in _tasks(report, entry_id, checks, target):
            pool.start()
            totals = pool.blocks(task.job, first, last)
            names = task.check.kernel.statistics
            moments = {name: totals.moments(at, task.job.windows[at]) for at, name in enumerate(names)}
            note = _note(task, entries[0], report.manifest)
            # a pilot does not count for the verdict
            known = {entry.digest for entry in entries if (first, last) == (task.start, task.start + _blocks(entry))}
            if not note and known - {totals.digest()}:
                note = f"the report has the digest {', '.join(known)} for these blocks"
            yield RangeTotals(case=task.name, first=first, last=last, totals=totals, moments=moments, note=note)


def _tasks(
    report: Report, entry_id: str | None, checks: Iterable[Check] | None, target: str
) -> Iterator[tuple[Task, list[Entry]]]:
    """Yield each case of the report with its entries; its kernel is compiled, with the sums that the report used."""
    said = report.manifest.get("engine", {})
    for name, value in (("rng", RNG_VERSION), ("block", BLOCK)):
        if said.get(name, value) != value:
            raise fail(f"{name} of the report", said[name], f"{value}, which is all that this version can repeat")
    wanted = list(report.entries) if entry_id is None else [report.entry(entry_id)]
    plan = Plan.of(
        _known(wanted, checks),
        profile=report.profile,  # type: ignore[arg-type] # Plan.of refuses what is no profile
        seed=report.seed,
        alpha=report.alpha,
    )
    cases = {f"{check.id}[{case.name}].": (check, case) for check, case in plan.cases}
    groups: dict[str, list[Entry]] = {}
    for entry in wanted:
        case = next((name for name in cases if entry.id.startswith(name)), None)
        if case is None:
            message = f"this version has no case for {entry.id!r} in the profile {report.profile!r}"
            raise KeyError(message)
        groups.setdefault(case, []).append(entry)
    workshop = Workshop(target)
    for name, entries in groups.items():
        task = Task.of(*cases[name], plan.seed, target, workshop)
        yield task.widened() if entries[0].sums == "superaccumulator" else task, entries


def _known(wanted: Sequence[Entry], checks: Iterable[Check] | None) -> list[Check]:
    names = list(dict.fromkeys(entry.check for entry in wanted))
    if checks is None:
        from asymptopia.verify.checks import checks as shipped

        checks = shipped()
    found = unique(list(checks))
    missing = [name for name in names if name not in found]
    if missing:
        message = f"this version has no check {missing[0]!r}; a check of your own is repeated from Python"
        raise KeyError(message)
    return [found[name] for name in names]


def _blocks(entry: Entry) -> int:
    return -(-entry.replicates // BLOCK)


def _note(task: Task, entry: Entry, manifest: Mapping[str, Any]) -> str:
    """Return why the totals cannot be those of the report; empty if they can."""
    if task.spec == entry.spec:
        return ""
    kernel = (manifest.get("kernels") or {}).get(task.check.id)
    if kernel is not None and kernel != task.kernel:
        return f"the kernel is another one here: {task.kernel[:16]} instead of {kernel[:16]}"
    return f"the parameters or windows are others here: spec {task.spec} instead of {entry.spec}"

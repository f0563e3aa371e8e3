"""Histograms of replicates over declared edges: integer counts, which merge exactly in any order."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from asymptopia.theory._core.rng import RNG
from asymptopia.theory._core.validation import fail, integer, numeric
from asymptopia.verify.engine import cpu
from asymptopia.verify.engine.build import Kernel, Run
from asymptopia.verify.engine.check import Check, Profile
from asymptopia.verify.engine.collect import collect
from asymptopia.verify.engine.driver import plain_source
from asymptopia.verify.engine.exact import MAX_COUNT
from asymptopia.verify.engine.interpret import interpret, self_contained
from asymptopia.verify.engine.pool import FIRST_CHUNK, in_pieces


class Histogram(NamedTuple):
    """Counts of replicates in the cells that the edges cut.

    Attributes
    ----------
    edges : ndarray, shape (k,)
        Increasing. Cell 0 lies below the first, cell i in ``[edges[i - 1], edges[i])``, cell k from the last on.
    counts : ndarray of int64, shape (k + 1,)
        Replicates in each cell.
    nonfinite : int
        Replicates that are not numbers; infinities lie in the outer cells.
    """

    edges: NDArray[np.float64]
    counts: NDArray[np.int64]
    nonfinite: int


def place(x: float, scales: Sequence[float], cells: int) -> int:
    """Return the cell of x, or `cells` if it is no number."""
    if x != x:
        return cells
    low = 0
    high = cells - 1
    while low < high:
        middle = (low + high) >> 1
        if x < scales[middle]:
            high = middle
        else:
            low = middle + 1
    return low


def histogram(
    check: Check,
    statistic: str,
    edges: ArrayLike,
    *,
    replicates: int,
    case: str | None = None,
    profile: Profile = "standard",
    rng: RNG = 0,
    threads: int | None = None,
    target: str = "cpu",
) -> Histogram:
    """Return the histogram of a statistic over the first replicates of a case, those that a run would use.

    Parameters
    ----------
    check : Check
        Its kernel draws.
    statistic : str
        A statistic of the kernel.
    edges : array_like, shape (k,)
        Finite and increasing, at least one.
    replicates : int
        How many, at least 1.
    case : str, optional
        Name of the case; the first of the profile if None.
    profile, rng, threads, target
        As in `asymptopia.verify.run`.

    Raises
    ------
    ValueError
        If an edge is not above the one before it, or there is no such statistic or case.

    Examples
    --------
    >>> from asymptopia import verify
    >>> (check,) = verify.select(["scorecard.null_law"])
    >>> found = verify.histogram(check, "T", [4.17, 8.34, 16.92], replicates=100_000, profile="quick")
    >>> (found.counts / 100_000).round(2).tolist()
    [0.1, 0.4, 0.45, 0.05]
    """
    from asymptopia.verify.engine.run import entropy_of
    from asymptopia.verify.engine.task import Task

    cuts = numeric("edges", edges, min_ndim=1)
    if cuts.ndim != 1 or cuts.size == 0 or (np.diff(cuts) <= 0).any():
        raise fail("edges", cuts.tolist(), "at least one, each above the one before it")
    names = check.kernel.statistics
    if statistic not in names:
        raise fail("statistic", statistic, f"one of {', '.join(names)}")
    count = integer("replicates", replicates, 1)
    cases = {item.name: item for item in check.cases(profile)}
    chosen = next(iter(cases)) if case is None else case
    if chosen not in cases:
        raise fail("case", case, f"one of {', '.join(cases)}")
    job = Task.of(check, cases[chosen], entropy_of(rng), target).job
    run = compile_histogram(check.kernel, names.index(statistic), target)

    def part(first: int, size: int) -> NDArray[np.int64]:
        acc: Any = np.zeros(cuts.size + 2, dtype=np.int64)
        run(*job.key, first, size, job.params, cuts, acc)
        return np.asarray(acc)

    counts = sum(in_pieces(part, count, min(MAX_COUNT, FIRST_CHUNK), threads), np.zeros(cuts.size + 2, dtype=np.int64))
    return Histogram(cuts, counts[:-1], int(counts[-1]))


def compile_histogram(kernel: Kernel, statistic: int, target: str = "cpu") -> Run:
    """Return ``run(k0, k1, rep0, count, params, edges, acc)``, which counts one statistic by cell.

    Notes
    -----
    With k edges `acc` has k + 2 entries, the last for replicates that are not numbers.
    """
    name, size = kernel.replicate.__name__, len(kernel.statistics)
    pieces = collect([place, kernel.replicate])
    compiled = target != "python" and cpu.compiler_is_on()
    each = f"acc[place(x[{statistic}], scales, len(acc) - 1)] += 1"
    loop = plain_source(name, size, each, cpu.RUN if compiled else "")
    if compiled:
        return cpu.compile_text(name, cpu.unit_text(pieces, loop))
    run: Run = interpret(name, self_contained(pieces, loop))["_run"]
    return run

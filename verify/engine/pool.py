"""Run block ranges of a kernel on a pool of threads."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import NDArray

from asymptopia.theory._core.validation import integer
from asymptopia.verify.engine.exact import MAX_COUNT, Totals, Unbounded, Window, accumulator, scale_array

if TYPE_CHECKING:
    from asymptopia.verify.engine.build import Kernel

Run = Callable[..., None]
Piece = Callable[[int, int, Totals], None]
FIRST_CHUNK = 1 << 14
"""Replicates of a task before its speed is known."""
TASK_SECONDS = 0.2
"""Time that a task should take: an interrupt is heard, and a ledger written, about that often."""


def resolve_threads(threads: int | None) -> int:
    """Return the number of threads: as given, else the processors this process may use."""
    if threads is None:
        return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return integer("threads", threads, 1)


def in_pieces(part: Callable[[int, int], Any], count: int, chunk: int, threads: int | None = None) -> Iterator[Any]:
    """Yield ``part(first, size)`` for pieces of at most `chunk` of ``0 .. count - 1``, from a pool of threads."""
    pieces = [(first, min(chunk, count - first)) for first in range(0, count, chunk)]
    with ThreadPoolExecutor(resolve_threads(threads)) as executor:
        yield from executor.map(lambda piece: part(*piece), pieces)


@dataclass(frozen=True, slots=True)
class Job:
    """A compiled kernel bound to its key, parameters and windows."""

    run: Run
    key: tuple[int, int]
    params: NDArray[np.float64]
    windows: tuple[Window | Unbounded, ...]
    block: int
    kernel: Kernel | None = None

    def replicates(self, first: int, count: int) -> Totals:
        """Return the totals of the replicates ``first .. first + count - 1``."""
        acc = accumulator(self.windows)
        self.run(*self.key, first, count, self.params, scale_array(self.windows), acc)
        return Totals.of(acc, count, wide=self.wide)

    @property
    def wide(self) -> bool:
        """Whether sums are kept by the superaccumulator."""
        return isinstance(self.windows[0], Unbounded)

    def blocks(self, first: int, last: int) -> tuple[int, int, Totals, float]:
        """Return first, last, the totals of the blocks ``first .. last - 1`` and the seconds they took."""
        started = time.perf_counter()
        totals = self.replicates(first * self.block, (last - first) * self.block)
        return first, last, totals, time.perf_counter() - started


class Pool:
    """A pool of threads that runs block ranges; totals do not depend on how it splits them."""

    def __init__(self, threads: int | None = None, chunk: int | None = None) -> None:
        self.threads = resolve_threads(threads)
        self._fixed = None if chunk is None else integer("chunk", chunk, 1, MAX_COUNT)
        self._chunk = self._fixed or FIRST_CHUNK
        self._executor = ThreadPoolExecutor(self.threads, thread_name_prefix="asymptopia")

    def __enter__(self) -> Self:
        """Return the pool."""
        return self

    def __exit__(self, *error: object) -> None:
        """Stop: tasks not yet started are dropped, those running end first."""
        self._executor.shutdown(wait=True, cancel_futures=True)

    def start(self) -> None:
        """Forget how fast the last kernel was."""
        self._chunk = self._fixed or FIRST_CHUNK

    def blocks(self, job: Job, first: int, last: int, done: Piece | None = None) -> Totals:
        """Return the totals of the blocks ``first .. last - 1``.

        Parameters
        ----------
        job : Job
            What to run.
        first, last : int
            Blocks.
        done : callable, optional
            Told ``(first, last, totals)`` of every finished piece, in this thread. On an interrupt the pieces that
            run are waited for and told, too.
        """
        total = Totals.empty(len(job.windows))
        at = first
        while at < last:
            step = max(1, min(self._chunk // job.block, -(-(last - at) // self.threads)))
            stop = min(last, at + step * self.threads * 8)
            pieces = [(start, min(start + step, stop)) for start in range(at, stop, step)]
            total = total + self._wave(job, pieces, done)
            at = stop
        return total

    def _wave(self, job: Job, pieces: list[tuple[int, int]], done: Piece | None) -> Totals:
        total = Totals.empty(len(job.windows))
        futures = [self._executor.submit(job.blocks, *piece) for piece in pieces]
        told: set[Future[Any]] = set()

        def fold(future: Future[Any]) -> Totals:
            part: Totals
            first, last, part, seconds = future.result()
            told.add(future)
            if done is not None:
                done(first, last, part)
            if self._fixed is None and seconds > 0:
                ideal = part.count * TASK_SECONDS / seconds
                self._chunk = int(min(MAX_COUNT, max(job.block, min(ideal, 4.0 * self._chunk))))
            return total + part

        try:
            for future in as_completed(futures):
                total = fold(future)
        except BaseException:
            running = [future for future in futures if not future.cancel() and future not in told]
            for future in running:
                if future.exception() is None:
                    total = fold(future)
            raise
        return total

"""Run block ranges of a kernel on a pool of threads."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from asymptopia.theory._core.validation import integer
from asymptopia.verify.engine.exact import MAX_COUNT, Totals, Window, accumulator, scale_array

Run = Callable[..., None]
CHUNK = 1 << 14
"""Replicates a task at most, so that an interrupt is heard soon."""


def resolve_threads(threads: int | None) -> int:
    """Return the number of threads: as given, else the processors this process may use."""
    if threads is None:
        return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return integer("threads", threads, 1)


@dataclass(frozen=True, slots=True)
class Job:
    """A compiled kernel bound to its key, parameters and windows."""

    run: Run
    key: tuple[int, int]
    params: NDArray[np.float64]
    windows: tuple[Window, ...]
    block: int

    def chunk(self, first: int, count: int) -> Totals:
        """Return the totals of the replicates ``first .. first + count - 1``."""
        acc = accumulator(len(self.windows))
        self.run(*self.key, first, count, self.params, scale_array(self.windows), acc)
        return Totals.of(acc, count)


class Pool:
    """A pool of threads that runs block ranges; totals do not depend on how it splits them."""

    def __init__(self, threads: int | None = None, chunk: int = CHUNK) -> None:
        self.threads = resolve_threads(threads)
        self.chunk = integer("chunk", chunk, 1, MAX_COUNT)
        self._executor = ThreadPoolExecutor(self.threads, thread_name_prefix="asymptopia")

    def __enter__(self) -> Self:
        """Return the pool."""
        return self

    def __exit__(self, *error: object) -> None:
        """Stop: tasks not yet started are dropped, those running end first."""
        self._executor.shutdown(wait=True, cancel_futures=True)

    def blocks(self, job: Job, first: int, last: int) -> Totals:
        """Return the totals of the blocks ``first .. last - 1``."""
        start, stop = first * job.block, last * job.block
        step = min(self.chunk, max(job.block, -(-(stop - start) // self.threads)))
        pieces: Sequence[tuple[int, int]] = [(at, min(step, stop - at)) for at in range(start, stop, step)]
        total = Totals.empty(len(job.windows))
        if len(pieces) == 1:
            return total + job.chunk(*pieces[0])
        futures: list[Any] = [self._executor.submit(job.chunk, *piece) for piece in pieces]
        try:
            for future in futures:
                total = total + future.result()
        except BaseException:
            for future in futures:
                future.cancel()
            raise
        return total

"""Run block ranges on a Dask cluster: source and block ranges go out, integers come back."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from asymptopia.verify.engine import cpu
from asymptopia.verify.engine.build import unit_source
from asymptopia.verify.engine.exact import Totals
from asymptopia.verify.engine.pool import Job, Piece

if TYPE_CHECKING:
    from distributed import Client

BLOCKS = 64
"""Blocks of a task: some tens of milliseconds, well above what a task costs to send."""
RETRIES = 2


class ClusterPool:
    """The pool of a cluster; its totals are those of any other pool.

    Parameters
    ----------
    scheduler : str or distributed.Client
        Address of the scheduler, or a client of it. Workers need the same version of asymptopia.

    Raises
    ------
    ModuleNotFoundError
        If ``distributed`` is not installed: ``pip install 'asymptopia[dask]'``.
    """

    def __init__(self, scheduler: str | Client) -> None:
        from distributed import Client

        self._own = isinstance(scheduler, str)
        self._client: Any = Client(scheduler) if isinstance(scheduler, str) else scheduler

    def __enter__(self) -> Self:
        """Return the pool."""
        return self

    def __exit__(self, *error: object) -> None:
        """Close the client that was made here."""
        if self._own:
            self._client.close()

    @property
    def threads(self) -> int:
        """Threads of all workers."""
        return sum(self._client.nthreads().values())

    def start(self) -> None:
        """Do nothing: tasks have one size."""

    def blocks(self, job: Job, first: int, last: int, done: Piece | None = None) -> Totals:
        """Return the totals of the blocks ``first .. last - 1``; `done` is told every finished piece, here."""
        from distributed import as_completed

        recipe = _recipe(job)
        pieces = [(at, min(at + BLOCKS, last)) for at in range(first, last, BLOCKS)]
        futures = [self._client.submit(run_piece, recipe, *piece, pure=False, retries=RETRIES) for piece in pieces]
        total = Totals.empty(len(job.windows))
        try:
            for future in as_completed(futures):
                low, high, part = future.result()
                total = total + part
                if done is not None:
                    done(low, high, part)
        except BaseException:
            self._client.cancel(futures)
            raise
        return total


def run_piece(recipe: Mapping[str, Any], first: int, last: int) -> tuple[int, int, Totals]:
    """Return first, last and the totals of the blocks ``first .. last - 1``, on a worker."""
    job = Job(
        run=_compiled(recipe["stem"], recipe["text"]),
        key=recipe["key"],
        params=np.array(recipe["params"], dtype=np.float64),
        windows=recipe["windows"],
        block=recipe["block"],
    )
    return first, last, job.blocks(first, last)[2]


@lru_cache(maxsize=64)
def _compiled(stem: str, text: str) -> Any:
    # the text imports the device functions by the hash of their source: another version has none of that name
    cpu.library_unit()
    return cpu.compile_text(stem, text)


def _recipe(job: Job) -> dict[str, Any]:
    if job.kernel is None:
        message = "this job does not know its kernel, so it cannot be sent"
        raise ValueError(message)
    if job.wide:
        from asymptopia.verify.engine.wide import unit_source_wide

        text = unit_source_wide(job.kernel)
    else:
        text = unit_source(job.kernel, "cpu")
    return {
        "stem": job.kernel.replicate.__name__,
        "text": text,
        "key": job.key,
        "params": job.params.tolist(),
        "windows": job.windows,
        "block": job.block,
    }

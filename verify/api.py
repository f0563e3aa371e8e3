"""The Python door: run checks by name or by object."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from asymptopia._progress import watched
from asymptopia.theory._core.rng import RNG
from asymptopia.verify.checks import select
from asymptopia.verify.engine.check import Check, Profile
from asymptopia.verify.engine.report import Report
from asymptopia.verify.engine.run import ALPHA, ProgressCallback
from asymptopia.verify.engine.run import run as run_checks


def run(
    checks: str | Check | Sequence[str | Check] = (),
    *,
    profile: Profile = "standard",
    rng: RNG = 0,
    alpha: float = ALPHA,
    threads: int | None = None,
    target: str = "cpu",
    progress: ProgressCallback | Literal["auto"] | None = "auto",
    ledger: Path | str | None = None,
    resume: bool = False,
    scheduler: str | None = None,
) -> Report:
    """Return the report of checks, each run until its targets and mutants have a verdict.

    Parameters
    ----------
    checks : str, Check or sequence of these
        Checks, claims or results by name, or checks of your own; every shipped check if left out.
    profile : {"quick", "standard", "exhaustive"}
        Which cases and budgets.
    rng : int, SeedSequence, BitGenerator, Generator or None
        Seed; None draws fresh entropy, which the report states.
    alpha : float
        Probability that any right theory of this run is ever called wrong.
    threads : int, optional
        Threads, all processors if None. With more than one, processes that compile kernels ahead are started as well,
        where several are not in the cache yet. No number depends on it.
    target : {"cpu", "cuda", "auto", "python", "emulator"}
        Where kernels run; the numbers are the same. ``"auto"`` takes a graphics processor if one can be used.
        ``"python"`` and ``"emulator"`` interpret the sources of both: slow, for debugging.
    progress : "auto", callable or None
        ``"auto"`` shows a bar on a terminal and in a notebook (with tqdm), nothing in pipes and files. A callable is
        called with a `Progress` after each look. None is silence.
    ledger : path, optional
        Folder in which finished blocks are recorded as they come, so that a killed run can go on.
    resume : bool
        Whether the ledger may hold blocks of this run already; they are not computed again.
    scheduler : str, optional
        Address of a Dask scheduler whose workers compute the blocks; the extra ``dask``.

    Raises
    ------
    KeyError
        If a name fits no check.
    ValueError
        If an argument is out of range, or the ledger belongs to another run.
    NoDeviceError
        A RuntimeError: ``"cuda"`` is asked for and no device can be used.

    Examples
    --------
    >>> from asymptopia import verify
    >>> report = verify.run("scorecard.null_law", profile="quick", rng=1)
    >>> report.count("fail"), report.exit_code
    (0, 0)
    """
    asked = [checks] if isinstance(checks, str | Check) else list(checks)
    chosen = [item for item in asked if isinstance(item, Check)]
    names = [item for item in asked if isinstance(item, str)]
    if names or not asked:
        chosen = [*select(names), *chosen]
    with watched(progress) as callback:
        return run_checks(
            chosen,
            profile=profile,
            rng=rng,
            alpha=alpha,
            threads=threads,
            target=target,
            progress=callback,
            ledger=ledger,
            resume=resume,
            scheduler=scheduler,
        )

"""A case bound to its compiled kernel, key and hash: what a run computes, and what a shard or a rerun repeats."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from fractions import Fraction

import numpy as np

from asymptopia.verify.engine.ahead import Ahead
from asymptopia.verify.engine.build import Kernel, Run, compile_kernel, kernel_hash
from asymptopia.verify.engine.check import Case, Check
from asymptopia.verify.engine.exact import Totals, Unbounded, scale_array
from asymptopia.verify.engine.judge import windows_of
from asymptopia.verify.engine.plan import BLOCK, replicate_key, spec_hash
from asymptopia.verify.engine.pool import Job


@dataclass(slots=True)
class Workshop:
    """Compiles each kernel of a run once.

    Attributes
    ----------
    target : str
        What for.
    ahead : Ahead, optional
        Processes that compile, too.
    """

    target: str
    ahead: Ahead | None = None
    _built: dict[Kernel, tuple[Run, str]] = field(default_factory=dict)

    def build(self, kernel: Kernel) -> tuple[Run, str]:
        """Return the compiled kernel and its hash."""
        if kernel not in self._built:
            if self.ahead is not None:
                self.ahead.wait(kernel)
            self._built[kernel] = compile_kernel(kernel, self.target), kernel_hash(kernel)
        return self._built[kernel]


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """A case and everything that can change a bit of its totals.

    Attributes
    ----------
    job : Job
        The kernel with its key, parameters and windows.
    spec : str
        Hash of all that.
    start : int
        First block that counts for the verdict; those before it are a pilot.
    target : str
        Where the kernel runs.
    """

    check: Check
    case: Case
    name: str
    job: Job
    spec: str
    kernel: str
    start: int
    target: str

    @classmethod
    def of(cls, check: Check, case: Case, seed: int, target: str, workshop: Workshop | None = None) -> Task:
        """Return the task of a case: its kernel compiled, its control variate's coefficient taken from the pilot."""
        run, kernel = (workshop or Workshop(target)).build(check.kernel)
        name = f"{check.id}[{case.name}]"
        task = cls(
            check=check,
            case=case,
            name=name,
            job=Job(
                run,
                replicate_key(seed, name, check.version, case.params),
                np.array(case.params, dtype=np.float64),
                windows_of(case, check.kernel.statistics),
                BLOCK,
                check.kernel,
            ),
            spec="",
            kernel=kernel,
            start=0 if case.control is None else case.control.pilot,
            target=target,
        )
        return task._controlled()._hashed()

    @property
    def wide(self) -> bool:
        """Whether sums are kept by the superaccumulator."""
        return self.job.wide

    def widened(self) -> Task:
        """Return the task of the same replicates, summed by the superaccumulator."""
        from asymptopia.verify.engine.wide import compile_wide

        windows = tuple(Unbounded(pivot=window.pivot) for window in self.job.windows)
        job = replace(self.job, run=compile_wide(self.check.kernel, self.target), windows=windows)
        return replace(self, job=job)._hashed()

    def _hashed(self) -> Task:
        job = self.job
        spec = spec_hash(
            name=self.name,
            kernel=self.kernel,
            params=job.params.tolist(),
            key=job.key,
            scales=scale_array(job.windows).tolist(),
            block=job.block,
        )
        return replace(self, spec=spec)

    def _controlled(self) -> Task:
        control = self.case.control
        if control is None:
            return self
        names = self.check.kernel.statistics
        main, other = names.index(control.statistic), names.index(control.control)

        def pilot(coefficient: float) -> Totals:
            return self._with_coefficient(coefficient).job.replicates(0, control.pilot * BLOCK)

        plain, mixed = pilot(0.0), pilot(1.0)
        # cov(x, c) = (var x + var c - var(x - c)) / 2, of exact sums
        ours, theirs, both = (
            Fraction(totals.moments(s, self.job.windows[s]).variance)
            for totals, s in ((plain, main), (plain, other), (mixed, main))
        )
        coefficient = float((ours + theirs - both) / (2 * theirs)) if theirs > 0 else 0.0
        return self._with_coefficient(coefficient)

    def _with_coefficient(self, coefficient: float) -> Task:
        control = self.case.control
        assert control is not None
        params = self.job.params.copy()
        params[control.slot] = coefficient
        return replace(self, job=replace(self.job, params=params))

"""The report of a run: entries, JSON, exit status."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from asymptopia.verify.engine.judge import TargetJudge
from asymptopia.verify.engine.manifest import manifest
from asymptopia.verify.engine.sequential import Interval, Verdict

SCHEMA = 1
EXIT_PASS, EXIT_FAIL, EXIT_USAGE, EXIT_INCONCLUSIVE, EXIT_INTERRUPTED = 0, 1, 2, 3, 130
VOLATILE = frozenset({"seconds", "device", "threads"})
"""Fields that may differ between two runs of the same seed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MutantEntry:
    """What became of a mutant."""

    name: str
    theory: float
    estimate: float
    interval: Interval | None
    replicates: int
    rejected: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """The outcome of one target."""

    id: str
    check: str
    statement: str
    status: str
    reason: str
    theory: float
    estimate: float
    interval: Interval | None
    delta: float
    delta_reason: str
    alpha: float
    replicates: int
    digest: str
    spec: str
    mutant_rejected: bool
    mutants: tuple[MutantEntry, ...]
    seconds: float
    device: str
    threads: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """The outcome of a run."""

    entries: tuple[Entry, ...]
    seed: int
    profile: str
    alpha: float
    manifest: Mapping[str, Any]

    @classmethod
    def of(
        cls,
        *,
        entries: Sequence[Entry],
        seed: int,
        profile: str,
        alpha: float,
        device: str,
        threads: int,
        kernels: Mapping[str, str],
    ) -> Report:
        """Return the report of finished entries, with the manifest of this machine."""
        facts = manifest(device=device, threads=threads, kernels=kernels)
        return cls(entries=tuple(entries), seed=seed, profile=profile, alpha=alpha, manifest=facts)

    def count(self, status: str) -> int:
        """Return how many entries have the status."""
        return sum(entry.status == status for entry in self.entries)

    @property
    def exit_code(self) -> int:
        """0 if all pass, 1 if any fails, 3 if any is inconclusive."""
        if self.count("fail"):
            return EXIT_FAIL
        return EXIT_INCONCLUSIVE if self.count("inconclusive") else EXIT_PASS

    def to_dict(self) -> dict[str, Any]:
        """Return the report as plain data; numbers that JSON lacks become None."""
        return {
            "schema": SCHEMA,
            "seed": self.seed,
            "profile": self.profile,
            "alpha": self.alpha,
            "manifest": dict(self.manifest),
            "checks": [_plain(asdict(entry)) for entry in self.entries],
        }

    def to_json(self, *, indent: int | None = 2) -> str:
        """Return the report as JSON."""
        return json.dumps(self.to_dict(), indent=indent, allow_nan=False)

    def summary(self) -> str:
        """Return one line: how many passed, failed, are inconclusive; mutants; seed."""
        mutants = [mutant for entry in self.entries for mutant in entry.mutants]
        return (
            f"{len(self.entries)} targets: {self.count('pass')} passed, {self.count('fail')} failed, "
            f"{self.count('inconclusive')} inconclusive; {sum(m.rejected for m in mutants)} of {len(mutants)} mutants "
            f"rejected; seed {self.seed}"
        )


def entry_of(
    *,
    check: str,
    statement: str,
    case: str,
    judge: TargetJudge,
    spec: str,
    seconds: float,
    device: str,
    threads: int,
) -> Entry:
    """Return the entry of a judged target: a theory passes only if every mutant was refuted."""
    target, ruling = judge.target, judge.ruling
    survivors = [mutant.name for mutant, other in judge.mutants if other.verdict is Verdict.PASS]
    undecided = [mutant.name for mutant, other in judge.mutants if other.verdict is Verdict.INCONCLUSIVE]
    status, reason = ruling.verdict, ruling.reason
    if status is Verdict.PASS and survivors:
        status, reason = Verdict.FAIL, f"the mutant {survivors[0]!r} passes too: the tolerance is too wide"
    elif status is Verdict.PASS and undecided:
        status, reason = Verdict.INCONCLUSIVE, f"the mutant {undecided[0]!r} was not refuted within the budget"
    return Entry(
        id=f"{case}.{target.name}",
        check=check,
        statement=statement,
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
                theory=other.theory,
                estimate=other.estimate,
                interval=other.interval,
                replicates=other.replicates,
                rejected=other.verdict is Verdict.FAIL,
            )
            for mutant, other in judge.mutants
        ),
        seconds=seconds,
        device=device,
        threads=threads,
    )


def _plain(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value

"""A report made up by hand: every status, and what is awkward to draw."""

from __future__ import annotations

import math
from dataclasses import replace

from asymptopia.verify.engine.entry import Entry, Looks, MutantEntry
from asymptopia.verify.engine.report import Report

HOSTILE = "<script>alert('x')</script> & \"quoted\" $x_1$ \x00"


def looks(centre: float, half: float, last: int, first: int = 1024) -> Looks:
    """Looks whose interval narrows with the root of the replicates."""
    found = []
    n = first
    while n <= last:
        width = half * math.sqrt(last / n)
        found.append((n, centre + 0.3 * width * math.cos(n), centre - width, centre + width))
        n = max(n + 1024, int(n * 1.1) // 1024 * 1024)
    return tuple(found)


def entry(
    name: str,
    status: str,
    path: Looks,
    mutants: tuple[MutantEntry, ...] = (),
    *,
    reason: str = "",
    check: str = "made.up",
    claim: str = "equal",
) -> Entry:
    """An entry that rests on the last look of `path`."""
    n, estimate, low, high = path[-1] if path else (0, math.nan, math.nan, math.nan)
    return Entry(
        id=f"{check}[a=1,b=2].{name}",
        check=check,
        statement="The mean is 2",
        status=status,
        reason=reason,
        theory=2.0,
        estimate=estimate,
        interval=None if math.isnan(low) else (low, high),
        delta=0.05,
        delta_reason="stated band",
        alpha=1e-4,
        replicates=n,
        digest="0123456789abcdef" if n else "",
        spec="fedcba9876543210",
        mutant_rejected=all(mutant.rejected for mutant in mutants),
        mutants=mutants,
        seconds=0.25,
        device="cpu",
        threads=2,
        claim=claim,
        path=path,
    )


def mutant(name: str, theory: float, *, rejected: bool = True, path: Looks = (), n: int = 1024) -> MutantEntry:
    """A mutant, refuted at n replicates unless said otherwise."""
    estimate = path[-1][1] if path else 2.01
    return MutantEntry(
        name=name,
        theory=theory,
        estimate=estimate,
        interval=path[-1][2:] if path else (1.9, 2.1),
        replicates=path[-1][0] if path else n,
        rejected=rejected,
        path=path,
    )


def sample() -> Report:
    """The report."""
    nan = math.nan
    gap = looks(2.0, 0.04, 100_000)
    broken = (*gap[:10], (gap[10][0], gap[10][1], nan, nan), (gap[11][0], nan, nan, nan), *gap[12:])
    near = tuple(mutant(f"mutant number {i} with a name too long for the margin of a figure", 2.2) for i in range(6))
    entries = (
        entry("right", "pass", looks(2.0, 0.04, 60_000), (mutant("mean 2.2", 2.2), mutant("mean -100", -100.0))),
        entry("wrong", "fail", looks(2.2, 0.09, 9_000), (mutant("mean 3", 3.0, n=20_480),)),
        entry("toothless", "fail", looks(2.0, 0.04, 50_000), (mutant("itself", 2.0, rejected=False),), reason="weak"),
        entry("slow", "inconclusive", looks(2.03, 0.04, 300_000), near, reason="the budget is spent"),
        entry("gaps", "inconclusive", broken, (mutant("far", 1e9),), reason="a look had no interval"),
        entry("nothing", "inconclusive", (), (mutant("far", 5.0, rejected=False, n=0),), reason="no look yet"),
        entry("constant", "inconclusive", ((1024, 2.0, nan, nan),), (mutant("far", 3.0),), reason="did not vary"),
        entry("once", "pass", ((1024, 2.0, 1.96, 2.04),), (mutant("far", 3.0),)),
        entry(
            "control",
            "pass",
            looks(2.0, 0.04, 40_000),
            (mutant("another statistic", 2.0, path=looks(5.0, 0.4, 4_000)),),
            check="made.control",
        ),
        entry(
            "bound", "pass", looks(1.5, 0.2, 9_000), (mutant("at most 1", 1.0),), check="made.control", claim="at_most"
        ),
        entry(HOSTILE, "pass", looks(2.0, 0.04, 5_000), (mutant(HOSTILE, 2.5),), check="<b>made</b>", reason=HOSTILE),
    )
    manifest = {
        "asymptopia": "0.1.0",
        "packages": {"numpy": "2.4.6", HOSTILE: None},
        "device": "cpu",
        "threads": 2,
        "engine": {"rng": 1, "block": 1024, "look_ratio": 1.1},
        "kernels": {"made.up": "ab" * 32, "made.control": "cd" * 32, "<b>made</b>": "ef" * 32},
    }
    return Report(entries=entries, seed=7, profile="quick", alpha=1e-3, manifest=manifest)


def with_entry(report: Report, changed: Entry) -> Report:
    """The report with the entry of the same identifier replaced."""
    return replace(report, entries=tuple(changed if e.id == changed.id else e for e in report.entries))

"""Reference optimal binnings by going through every binning, with exact comparisons of event rates."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import combinations, pairwise
from typing import Any

import mpmath as mp

from asymptopia.theory.scorecard.reference import precise
from asymptopia.theory.scorecard.reference_divergence import generator

Splits = tuple[int, ...]


def binnings(prebins: int, most: int) -> Iterator[Splits]:
    """Yield the inner cuts of every partition of 0..prebins-1 into at most `most` runs."""
    for cuts in range(min(most, prebins)):
        yield from combinations(range(1, prebins), cuts)


def segments(splits: Splits, prebins: int) -> list[tuple[int, int]]:
    """Return first and end index of every run."""
    nodes = (0, *splits, prebins)
    return list(pairwise(nodes))


def follows(rates: Sequence[Fraction], trend: str | None) -> bool:
    """Return whether the event rates go the way of `trend`; equal neighbours are allowed."""
    steps = [b - a for a, b in pairwise(rates)]
    rises, falls = [step >= 0 for step in steps], [step <= 0 for step in steps]
    if trend is None:
        return True
    if trend == "ascending":
        return all(rises)
    if trend == "descending":
        return all(falls)
    if trend == "auto":
        return all(rises) or all(falls)
    first, second = (rises, falls) if trend == "peak" else (falls, rises)
    return any(all(first[:k]) and all(second[k:]) for k in range(len(steps) + 1))


@precise
def optimal_binning(
    good: Sequence[int],
    bad: Sequence[int],
    most: int,
    trend: str | None,
    kind: str = "jeffreys",
    min_share: float = 0.0,
    alpha: Any = None,
) -> tuple[Any, list[int], Any]:
    """Return the largest divergence, its cuts and the distance to the best binning with other cuts.

    A binning is admitted if its event rates follow `trend`, every bin has both outcomes and at least `min_share` of all
    items. Of binnings within 10**-40 of the best the one with the fewest bins is returned. Without any, one bin is.
    """
    prebins, f = len(good), generator(kind, alpha)
    n, m = sum(good), sum(bad)
    least = Fraction(min_share) * (n + m)
    gains: dict[tuple[int, int], Any] = {}
    rates: dict[tuple[int, int], Fraction] = {}
    for start in range(prebins):
        for end in range(start + 1, prebins + 1):
            x, y = sum(good[start:end]), sum(bad[start:end])
            if x > 0 and y > 0 and x + y >= least:
                p, q = mp.mpf(x) / n, mp.mpf(y) / m
                gains[start, end] = q * f(p / q)
                rates[start, end] = Fraction(y, x + y)
    found: list[tuple[Any, Splits]] = []
    for splits in binnings(prebins, most):
        runs = segments(splits, prebins)
        if all(run in gains for run in runs) and follows([rates[run] for run in runs], trend):
            found.append((mp.fsum(gains[run] for run in runs), splits))
    if not found:
        return mp.mpf(0), [], mp.inf
    best = max(value for value, _ in found)
    tied = [splits for value, splits in found if value > best - mp.mpf(10) ** -40]
    chosen = min(tied, key=lambda splits: (len(splits), splits))
    others = [value for value, splits in found if splits not in tied]
    gap = best - max(others) if others else mp.inf
    return best, list(chosen), mp.mpf(0) if len([s for s in tied if len(s) == len(chosen)]) > 1 else gap

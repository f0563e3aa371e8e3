"""What the figure of a target shows, in units of its tolerance; drawn as SVG and by matplotlib.

The ordinate is ``asinh((value - theory) / delta)``: linear within the tolerance, logarithmic beyond, so that both the
last look and a mutant fifty tolerances away can be read.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from asymptopia.verify.engine.entry import Entry, Looks, MutantEntry

LIMIT = 1000.0
"""Deviations beyond so many tolerances are drawn at the edge."""
Points = tuple[tuple[int, float, float, float], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """A mutant in the figure.

    Attributes
    ----------
    name, note : str
        What was changed; how far off, and what became of it.
    level : float or None
        The deviation that it predicts, None where it predicts the theory's value of another statistic.
    runs : tuple
        Its running interval, if it speaks of a statistic of its own.
    at : int
        Replicates at its last look.
    anchor : float
        Deviation at which its label belongs.
    rejected, beyond : bool
        Whether it was refuted; whether it lies off the figure.
    """

    name: str
    note: str
    level: float | None
    runs: tuple[Points, ...]
    at: int
    anchor: float
    rejected: bool
    beyond: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """The figure of a target: deviations in units of the tolerance against replicates.

    Attributes
    ----------
    runs : tuple
        Unbroken runs of looks ``(replicates, estimate, low, high)``.
    marks : tuple of Mark
        The mutants.
    verdict : str
        What fell at the look `at`, or that nothing did.
    at : int
        Replicates at the last look; 0 if there was none.
    x, y : tuple
        Ends of the axes.
    band : tuple
        Ends of what passes: one is an end of the axis where the theory is a bound.
    xticks, yticks : tuple
        Places and labels.
    """

    runs: tuple[Points, ...]
    marks: tuple[Mark, ...]
    verdict: str
    at: int
    x: tuple[float, float]
    y: tuple[float, float]
    band: tuple[float, float]
    xticks: tuple[tuple[int, str], ...]
    yticks: tuple[tuple[float, str], ...]

    def across(self, n: float) -> float:
        """Return where `n` replicates lie between the left (0) and the right end (1)."""
        low, high = self.x
        return math.log(max(n, 1.0) / low) / math.log(high / low)

    def up(self, deviation: float) -> float:
        """Return where a deviation lies between the lower (0) and the upper end (1)."""
        low, high = map(math.asinh, self.y)
        return (math.asinh(deviation) - low) / (high - low)


def picture(entry: Entry) -> Picture:
    """Return what the figure of `entry` shows."""

    def deviation(value: float) -> float:
        # one NaN, or a tolerance of nothing, must not spoil the figure
        found = (value - entry.theory) / entry.delta if entry.delta > 0 else math.nan
        return max(-LIMIT, min(LIMIT, found)) if not math.isnan(found) else math.nan

    def runs_of(looks: Looks) -> tuple[Points, ...]:
        return _runs((n, deviation(mid), deviation(low), deviation(high)) for n, mid, low, high in looks)

    runs = runs_of(entry.path or _last(entry))
    marks = tuple(_mark(mutant, entry, deviation(mutant.theory), runs_of(mutant.path)) for mutant in entry.mutants)
    seen = [point for run in (*runs, *(run for mark in marks for run in mark.runs)) for point in run]
    heights = [-1.6, 1.6, *(value for point in seen for value in point[1:])]
    heights += [mark.anchor for mark in marks if math.isfinite(mark.anchor)]
    counts = [n for n, *_ in (*entry.path, *seen) if n > 0]
    counts += [n for n in (entry.replicates, *(mark.at for mark in marks)) if n > 0]
    pad = 0.05 * (math.asinh(max(heights)) - math.asinh(min(heights)))
    y = (math.sinh(math.asinh(min(heights)) - pad), math.sinh(math.asinh(max(heights)) + pad))
    x = _span(counts)
    status = entry.status.upper()
    return Picture(
        runs=runs,
        marks=marks,
        verdict=f"{status} at {entry.replicates:,} replicates" if entry.replicates else f"{status}: no look",
        at=entry.replicates,
        x=x,
        y=y,
        band=(y[0] if entry.claim == "at_most" else -1.0, y[1] if entry.claim == "at_least" else 1.0),
        xticks=_xticks(*x),
        yticks=value_ticks(*y),
    )


def spread(places: Sequence[float], gap: float, low: float = 0.0, high: float = 1.0) -> list[float]:
    """Return places near the given ones, at least `gap` apart and within [low, high] if there is room.

    Examples
    --------
    >>> [round(place, 2) for place in spread([0.5, 0.5, 0.0], 0.1)]
    [0.45, 0.55, 0.0]
    """
    order = sorted(range(len(places)), key=lambda i: places[i])
    # groups of labels that touch, each centred on the mean of what it belongs to
    groups: list[tuple[list[int], float]] = []

    def centre(members: list[int]) -> float:
        half = 0.5 * gap * (len(members) - 1)
        mean = sum(min(max(places[i], low), high) for i in members) / len(members)
        return max(low + half, min(high - half, mean))

    for i in order:
        members = [i]
        while groups and centre(members) - groups[-1][1] < 0.5 * gap * (len(members) + len(groups[-1][0])) - 1e-12:
            members = groups.pop()[0] + members
        groups.append((members, centre(members)))
    found = [0.0] * len(places)
    for members, middle in groups:
        for rank, i in enumerate(members):
            found[i] = middle + gap * (rank - 0.5 * (len(members) - 1))
    return found


def multiple(value: float) -> str:
    """Return a deviation as a multiple of the tolerance."""
    if not math.isfinite(value):
        return ""
    size = abs(value)
    text = f"{size:.2g}" if size < 10 else f"{size:.0f}" if size < 1e4 else f"10^{math.log10(size):.0f}"
    return f"{'−' if value < 0 else '+'}{text} δ"


def _last(entry: Entry) -> Looks:
    if entry.interval is None or not entry.replicates:
        return ()
    return ((entry.replicates, entry.estimate, *entry.interval),)


def _runs(points: Iterable[tuple[int, float, float, float]]) -> tuple[Points, ...]:
    runs: list[list[tuple[int, float, float, float]]] = [[]]
    for point in points:
        if point[0] > 0 and all(map(math.isfinite, point[1:])):
            runs[-1].append(point)
        elif runs[-1]:
            runs.append([])
    return tuple(tuple(run) for run in runs if run)


def _mark(mutant: MutantEntry, entry: Entry, level: float, runs: tuple[Points, ...]) -> Mark:
    off = ((mutant.estimate if runs else mutant.theory) - entry.theory) / entry.delta if entry.delta > 0 else math.nan
    outcome = "" if mutant.rejected else ", not refuted"
    shown = None if not math.isfinite(level) or (runs and level == 0.0) else level
    return Mark(
        name=mutant.name,
        note=f"{multiple(off)}{outcome}",
        level=shown,
        runs=runs,
        at=mutant.replicates,
        anchor=runs[-1][-1][1] if runs else level,
        rejected=mutant.rejected,
        beyond=abs(off) > LIMIT,
    )


def _span(counts: Sequence[int]) -> tuple[float, float]:
    low, high = (float(min(counts)), float(max(counts))) if counts else (1e3, 1e4)
    if high < 4.0 * low:
        low, high = low / 2.0, high * 2.0
    return low * 0.93, high * 1.08


def _xticks(low: float, high: float) -> tuple[tuple[int, str], ...]:
    steps = (1, 2, 5) if high / low < 200 else (1,)
    decades = range(max(0, math.floor(math.log10(low))), math.ceil(math.log10(high)) + 1)
    places = [step * 10**decade for decade in decades for step in steps]
    return tuple((n, f"{n:,}" if n < 10**7 else f"{n:.0e}".replace("e+0", "e")) for n in places if low <= n <= high)


def value_ticks(low: float, high: float, share: float = 0.07) -> tuple[tuple[float, str], ...]:
    """Return places and labels of an axis of deviations; labels take `share` of its length."""
    found = [(0.0, "theory")]
    gap = share * (math.asinh(high) - math.asinh(low))
    # the tolerance and round powers first; the others where there is room for their labels
    for size in (1.0, 10.0, 100.0, 1000.0, 3.0, 30.0, 300.0):
        name = "δ" if size == 1.0 else f"{size:,.0f} δ"
        for value, text in ((size, f"+{name}"), (-size, f"−{name}")):
            if all(abs(math.asinh(value) - math.asinh(other)) >= gap for other, _ in found):
                found.append((value, text))
    return tuple((value, text) for value, text in sorted(found) if low <= value <= high)

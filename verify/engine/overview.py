"""The figure of a check as inline SVG: all its targets side by side, each in units of its own tolerance."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import groupby

from asymptopia.verify.engine.entry import Entry
from asymptopia.verify.engine.picture import LIMIT, picture, value_ticks

WIDTH, HEIGHT = 900, 230
LEFT, RIGHT, TOP, BOTTOM = 62, 12, 12, 40
WIDEST = 60.0
"""Largest distance of two targets."""


def overview(entries: Sequence[Entry]) -> str:
    """Return the figure: theory and tolerance, the last estimate with its interval, and what the mutants predict."""
    spots = [_deviations(entry) for entry in entries]
    heights = [-1.6, 1.6, *(value for spot in spots for value in spot if math.isfinite(value))]
    marks = [[mark.anchor for mark in picture(entry).marks if math.isfinite(mark.anchor)] for entry in entries]
    heights += [anchor for anchors in marks for anchor in anchors]
    low, high = (1.08 * math.asinh(end) for end in (min(heights), max(heights)))
    step = min(WIDEST, (WIDTH - LEFT - RIGHT) / len(entries))
    right = LEFT + step * len(entries)

    def y(deviation: float) -> float:
        return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * (math.asinh(deviation) - low) / (high - low)

    parts = [f'<svg class="overview" viewBox="0 0 {WIDTH} {HEIGHT}" aria-hidden="true">']
    for claim, group in groupby(range(len(entries)), lambda i: entries[i].claim):
        members = [*group]
        top = TOP if claim == "at_least" else y(1.0)
        tall = (HEIGHT - BOTTOM if claim == "at_most" else y(-1.0)) - top
        x, wide = LEFT + members[0] * step, step * len(members)
        parts.append(f'<rect class="band" x="{x:.1f}" y="{top:.1f}" width="{wide:.1f}" height="{tall:.1f}"/>')
    for value, text in value_ticks(math.sinh(low), math.sinh(high), 0.09):
        kind = "theory" if value == 0.0 else "grid"
        parts.append(f'<line class="{kind}" x1="{LEFT}" y1="{y(value):.1f}" x2="{right:.1f}" y2="{y(value):.1f}"/>')
        parts.append(f'<text x="{LEFT - 7}" y="{y(value):.1f}" dy="4" text-anchor="end">{text}</text>')
    every = math.ceil(22.0 / step)
    for i, (spot, anchors) in enumerate(zip(spots, marks, strict=True)):
        x = LEFT + (i + 0.5) * step
        mid, lower, upper = spot
        if math.isfinite(lower) and math.isfinite(upper):
            parts.append(f'<line class="run bar" x1="{x:.1f}" y1="{y(lower):.1f}" x2="{x:.1f}" y2="{y(upper):.1f}"/>')
        if math.isfinite(mid):
            parts.append(f'<circle class="run dot" cx="{x:.1f}" cy="{y(mid):.1f}" r="3.5"/>')
        parts += [f'<path class="mutant cross" d="M{x - 4:.1f} {y(at) - 4:.1f}l8 8m0 -8l-8 8"/>' for at in anchors]
        if i % every == 0:
            parts.append(f'<text x="{x:.1f}" y="{HEIGHT - BOTTOM + 18}" text-anchor="middle">{i + 1}</text>')
    parts.append(f'<text x="{LEFT}" y="{HEIGHT - 5}">targets, in the order below</text></svg>')
    return "\n".join(parts)


def _deviations(entry: Entry) -> tuple[float, float, float]:
    """Return estimate and interval in tolerances from the theory; NaN for what there is none of."""
    ends = entry.interval or (math.nan, math.nan)
    if not entry.delta > 0:
        return math.nan, math.nan, math.nan
    mid, low, high = ((value - entry.theory) / entry.delta for value in (entry.estimate, *ends))
    return _within(mid), _within(low), _within(high)


def _within(value: float) -> float:
    return max(-LIMIT, min(LIMIT, value)) if not math.isnan(value) else math.nan

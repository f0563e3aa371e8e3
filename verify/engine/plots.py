"""The figure of a target by matplotlib: the same picture as the SVG of the HTML report."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from asymptopia.verify.engine.entry import Entry
from asymptopia.verify.engine.picture import Mark, Picture, Points, picture, spread
from asymptopia.verify.engine.rows import clean, tolerance

if TYPE_CHECKING:
    from matplotlib.axes import Axes

INK, ACCENT, SOFT, BAND, EDGE = "#1f3a5f", "#b8452d", "#8fa8c4", "#dfeedd", "#4d8a4a"
LINE = 0.075
"""Least distance of two labels, as a share of the height."""


def plot_entry(entry: Entry, ax: Axes | None = None) -> Axes:
    """Draw the running interval of a target, its tolerance and its mutants; return the Axes."""
    shown = picture(entry)
    if ax is None:
        import matplotlib.pyplot as plt

        ax = plt.subplots(figsize=(9, 3.2), layout="constrained")[1]
    ax.set_xscale("log")
    ax.set_yscale("asinh", linear_width=1.0)
    ax.set_xlim(*shown.x)
    ax.set_ylim(*shown.y)
    ax.set_xticks([n for n, _ in shown.xticks], [text for _, text in shown.xticks])
    ax.set_yticks([value for value, _ in shown.yticks], [text for _, text in shown.yticks])
    ax.minorticks_off()
    ax.grid(axis="y", lw=0.3)
    ax.set_axisbelow(True)
    ax.axhspan(*shown.band, color=BAND, lw=0, zorder=0)
    ax.axhline(0.0, color=EDGE, lw=1.2)
    for mark in shown.marks:
        for run in mark.runs:
            _trace(ax, run, ACCENT, ACCENT)
    for run in shown.runs:
        _trace(ax, run, INK, SOFT)
    if shown.at:
        ax.axvline(shown.at, color="black", lw=0.8, ls=":")
    if shown.runs and shown.runs[-1][-1][0] == shown.at:
        n, mid, low, high = shown.runs[-1][-1]
        ax.plot([n, n], [low, high], color=INK, lw=2.5, solid_capstyle="butt")
        ax.plot(n, mid, "o", ms=4, color=INK)
    _mutants(ax, shown)
    for side in ("top", "right"):
        ax.spines[side].set_visible(False)
    ax.set_xlabel("replicates")
    ax.set_title(_text(f"{entry.id}   {shown.verdict}"), fontsize="small", loc="left")
    ax.set_ylabel(f"δ = {tolerance(entry.delta)}")
    return ax


def _text(text: str) -> str:
    # a dollar sign would start a formula
    return clean(text).replace("$", r"\$")


def _trace(ax: Axes, run: Points, line: str, area: str) -> None:
    n, mid, low, high = zip(*run, strict=True)
    if len(run) == 1:
        ax.plot([n[0], n[0]], [low[0], high[0]], color=line, lw=2.5, solid_capstyle="butt")
        ax.plot(n[0], mid[0], "o", ms=4, color=line)
        return
    ax.fill_between(n, low, high, color=area, alpha=0.35, lw=0)
    ax.plot(n, mid, color=line, lw=1.3)


def _mutants(ax: Axes, shown: Picture) -> None:
    marks: list[Mark] = [mark for mark in shown.marks if math.isfinite(mark.anchor)]
    places = [shown.up(mark.anchor) for mark in marks]
    for mark, at in zip(marks, spread(places, LINE), strict=True):
        if mark.level is not None:
            ax.axhline(mark.level, color=ACCENT, lw=1.0, ls="--")
        if mark.rejected:
            ax.plot(max(mark.at, 1), mark.anchor, "x", ms=6, color=ACCENT)
        arrow = "" if not mark.beyond else "↑ " if mark.anchor > 0 else "↓ "
        ax.annotate(
            _text(f"{arrow}{mark.name}  {mark.note}"),
            (1.02, at),
            xycoords="axes fraction",
            color=ACCENT,
            fontsize="small",
            va="center",
        )

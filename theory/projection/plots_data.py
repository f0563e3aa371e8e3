"""Figures of the p-n criterion of a table: groups and families side by side."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from asymptopia.theory._core.result import format_number
from asymptopia.theory._core.validation import Array
from asymptopia.theory.projection.plots import ACCENT, INK, NOISE, SOFT, axes_of, legend, plain_ticks, plot_criterion

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from asymptopia.theory.projection.criterion_result import PNCriterion
    from asymptopia.theory.projection.data import PNReport

__all__ = ["plot_pn_report"]

MOST_ROWS = 40
"""Rows that are drawn; those of the largest risk beyond it."""
_APART = 0.22


def plot_pn_report(report: PNReport, ax: Axes | None = None) -> Axes:
    """Draw p/(2n), t0/(2n) and the risk of every group and family beside the threshold; return the Axes.

    Parameters
    ----------
    report : PNReport
        A single criterion is drawn against n instead, as `plot_criterion` does.
    ax : Axes, optional
        Where to draw; created if None.

    Notes
    -----
    A full dot passes, a cross does not. Beyond 40 rows those of the largest risk are drawn.
    """
    if len(report.criteria) == 1 and not report.failures:
        return plot_criterion(report.criteria[0], ax)
    ax = axes_of(ax)
    order = np.arange(len(report.criteria))
    room = max(1, MOST_ROWS - len(report.failures))
    if order.size > room:
        order = np.sort(np.argsort([-one.risk for one in report.criteria], kind="stable")[:room])
    rows = [report.criteria[i] for i in order]
    at = np.arange(len(rows), dtype=float)
    several = len(set(report.families) | {one.family for one in report.failures}) > 1
    names = [
        f"{_name(report, report.groups[i], report.families[i], several)}\n{_aside(report.criteria[i])}" for i in order
    ]
    # one above the other, lest the marks cover each other
    for y, one in zip(at, rows, strict=True):
        if one.bootstrap is not None and one.bootstrap.risk_interval.low > 0.0:
            label = None if ax.lines else f"{one.bootstrap.level:.0%} interval by bootstrap"
            ax.plot(
                one.bootstrap.risk_interval, [y + _APART] * 2, color=SOFT, lw=4.0, solid_capstyle="butt", label=label
            )
    _marks(ax, at - _APART, [one.naive for one in rows], "s", "white", "p/(2n), if the model held")
    _marks(ax, at, [one.first for one in rows], "^", "white", "t₀/(2n)")
    for passed, shape, label in ((True, "o", "risk, enough"), (False, "X", "risk, not enough")):
        chosen = np.array([one.passed == passed and one.risk > 0.0 for one in rows])
        risks = [one.risk for one, taken in zip(rows, chosen, strict=True) if taken]
        _marks(ax, at[chosen] + _APART, risks, shape, INK if passed else ACCENT, label)
    bar = report.criteria[0].threshold
    ax.axvline(bar, color=ACCENT, lw=1.3, label=f"threshold {format_number(bar, 4)}")
    for line in at + 0.5:
        ax.axhline(line, color=NOISE, lw=0.6, zorder=0)
    ax.set_xscale("log")
    held = [value for one in rows for value in (one.naive, one.first, one.risk) if value > 0.0]
    ax.set_xlim(min(*held, bar) / 1.6, max(*held, bar) * 1.6)
    names += [f"{_name(report, one.group, one.family, several)}\nno estimate" for one in report.failures]
    ax.set_yticks(np.arange(len(names)), names, fontsize="small" if len(names) <= 10 else "xx-small")
    # room for the legend above
    ax.set_ylim(len(names) - 0.45, -0.5 - 0.27 * len(names))
    plain_ticks(ax.xaxis)
    ax.set_xlabel("risk E KL (nats)")
    left_out = "" if len(rows) == len(report.criteria) else f", the largest {len(rows)} of {len(report.criteria)}"
    ax.set_title(f"alpha = {report.criteria[0].alpha:g}{left_out}", fontsize="medium")
    legend(ax, loc="upper center", ncols=2)
    return ax


def _name(report: PNReport, group: str, family: str, several: bool) -> str:
    if report.by is None:
        return family
    return f"{group}, {family}" if several else group


def _aside(one: PNCriterion) -> str:
    needed = "no n by this series" if one.required_n is None else f"{one.required_n} required"
    return f"p = {one.p}, n = {one.n}; {needed}"


def _marks(ax: Axes, at: Array, values: list[float], shape: str, fill: str, label: str) -> None:
    if values:
        edge = "white" if shape == "o" else "black"
        ax.plot(values, at, shape, ms=7.5, mfc=fill, mec=edge, mew=1.0, ls="", label=label)

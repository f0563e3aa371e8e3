"""Figures of the scorecard results. Each takes a result and an Axes, draws into it and returns it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from asymptopia.theory._core.result import format_number

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from asymptopia.theory.scorecard.data import Screen
    from asymptopia.theory.scorecard.fdivergence import DivergenceResult
    from asymptopia.theory.scorecard.monitoring import MonitorResult
    from asymptopia.theory.scorecard.results import IVResult, PSIResult
    from asymptopia.theory.scorecard.screening import ScreenResult
    from asymptopia.theory.scorecard.woe import WoETable

INK, ACCENT, SOFT, NOISE, STEADY = "#1f3a5f", "#c8553d", "#8fa8c4", "#b9b9b9", "#3f8f6b"
MOST_TICKS = 16
Z95 = 1.959963984540054


def _axes(ax: Axes | None) -> Axes:
    if ax is not None:
        return ax
    import matplotlib.pyplot as plt

    return plt.subplots(layout="constrained")[1]


def _label_cells(ax: Axes, labels: Sequence[str] | None, count: int) -> None:
    names = [str(i + 1) for i in range(count)] if labels is None else list(labels)
    if len(names) != count:
        message = f"labels has {len(names)} names; expected one for each of the {count} bins"
        raise ValueError(message)
    ax.set_xticks(range(count), names)
    if max(map(len, names)) > 4:
        ax.tick_params(axis="x", rotation=30)
        for tick in ax.get_xticklabels():
            tick.set_horizontalalignment("right")


def _headline(name: str, result: IVResult | PSIResult | DivergenceResult) -> str:
    low, high = (format_number(end, 3) for end in result.ci)
    shown = result.estimate if math.isfinite(result.estimate) else result.estimate_smoothed
    return f"{name} {format_number(shown, 3)}   95 % [{low}, {high}]   p {format_number(result.pvalue, 2)}"


def _woe_bars(ax: Axes, woe: Any, se: Any, labels: Sequence[str] | None) -> None:
    values, errors = np.asarray(woe, dtype=float), np.asarray(se, dtype=float)
    shown = np.isfinite(values) & np.isfinite(errors)
    at = np.arange(values.size)
    ax.bar(at[shown], values[shown], width=0.7, color=SOFT)
    ax.errorbar(at[shown], values[shown], Z95 * errors[shown], fmt="o", ms=3, color=INK, capsize=3, lw=1)
    for i in at[~shown]:
        text = "empty" if math.isnan(values[i]) else f"{'+' if values[i] > 0 else '−'}∞"
        ax.annotate(text, (float(i), 0.0), ha="center", va="bottom", color=ACCENT)
    ax.axhline(0.0, color=INK, lw=0.8)
    _label_cells(ax, labels, values.size)
    ax.set_ylabel("weight of evidence (nats)")


def plot_iv(result: IVResult, ax: Axes | None = None, *, labels: Sequence[str] | None = None) -> Axes:
    """Draw the weight of evidence of each bin with 95 % intervals; return the Axes."""
    ax = _axes(ax)
    _woe_bars(ax, result.woe, result.woe_se, labels)
    ax.set_xlabel("bin")
    ax.set_title(_headline("IV", result), fontsize="medium")
    return ax


def plot_woe(table: WoETable, ax: Axes | None = None, *, labels: Sequence[str] | None = None) -> Axes:
    """Draw a table of weights of evidence with 95 % intervals; return the Axes."""
    ax = _axes(ax)
    _woe_bars(ax, table.woe, table.woe_se, labels)
    ax.set_xlabel("bin")
    return ax


def plot_psi(result: PSIResult, ax: Axes | None = None, *, labels: Sequence[str] | None = None) -> Axes:
    """Draw the shares of both samples side by side; return the Axes."""
    return _share_bars(_axes(ax), result, "PSI", ("actual", "expected"), labels)


def plot_divergence(result: DivergenceResult, ax: Axes | None = None, *, labels: Sequence[str] | None = None) -> Axes:
    """Draw the shares of both samples side by side; return the Axes."""
    name = result.kind if result.alpha is None else f"{result.kind} {format_number(result.alpha)}"
    return _share_bars(_axes(ax), result, name, ("x", "y"), labels)


def _share_bars(
    ax: Axes, result: PSIResult | DivergenceResult, title: str, names: tuple[str, str], labels: Sequence[str] | None
) -> Axes:
    first, second = result.shares()
    at = np.arange(first.size)
    ax.bar(at - 0.2, second, width=0.4, color=SOFT, label=names[1])
    ax.bar(at + 0.2, first, width=0.4, color=INK, label=names[0])
    _label_cells(ax, labels, first.size)
    ax.set_xlabel("bin")
    ax.set_ylabel("share")
    ax.legend(frameon=False)
    ax.set_title(_headline(title, result), fontsize="medium")
    return ax


def plot_screen(screen: Screen | ScreenResult, ax: Axes | None = None, *, level: float | None = None) -> Axes:
    """Draw the interval of every column beside what noise alone reaches; return the Axes.

    The grey bar of a column ends at the 95 % point of its estimate where nothing is there to be found. `level` is that
    of the intervals, by default the screen's or 95 %. The colour tells the columns whose adjusted p-value is at most
    the screen's alpha or 5 %.
    """
    ax = _axes(ax)
    level = getattr(screen, "level", 0.95) if level is None else level
    alpha, margin = getattr(screen, "alpha", 0.05), getattr(screen, "margin", None)
    order, results = screen.order()[::-1], screen.results
    for row, i in enumerate(order):
        found = results[i]
        low, high = found.confidence_interval(level)
        if found.dof > 0:
            ax.barh(row, _noise(found), height=0.8, color=NOISE, alpha=0.5)
        colour = ACCENT if screen.adjusted[i] <= alpha else INK
        ax.plot([low, high], [row, row], color=colour, lw=2, solid_capstyle="butt")
        ax.plot(found.estimate_smoothed, row, "o", ms=5, color=colour)
        if math.isfinite(found.estimate):
            ax.plot(found.estimate, row, "|", ms=11, color=colour)
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    tested = f"{'' if screen.adjustment == 'none' else screen.adjustment + ' '}p"
    handles = [
        Line2D([], [], color=ACCENT, marker="o", ms=5, lw=2, label=f"{100 * level:g} % interval; {tested} ≤ {alpha:g}"),
        Line2D([], [], color=INK, marker="o", ms=5, lw=2, label=f"the same; {tested} > {alpha:g}"),
        Line2D([], [], color=INK, marker="|", ms=11, lw=0, label="plug-in (point: smoothed)"),
        Patch(color=NOISE, alpha=0.5, label="noise alone, 95 %"),
    ]
    if margin is not None:
        ax.axvline(margin, color=ACCENT, lw=1, ls="--")
        handles.append(Line2D([], [], color=ACCENT, lw=1, ls="--", label=f"margin {margin:g} (of the test)"))
    ax.set_yticks(range(len(order)), [screen.features[i] for i in order])
    ax.set_ylim(-0.6, len(order) - 0.4)
    ax.set_xlim(left=0.0)
    name = {"IV": "information value", "PSI": "population stability index"}[screen.quantity]
    ax.set_xlabel(f"{name} (nats)")
    ax.grid(axis="x", lw=0.3)
    ax.set_axisbelow(True)
    ax.legend(handles=handles, frameon=False, loc="lower right", fontsize="small")
    return ax


def _noise(result: IVResult | PSIResult) -> float:
    """Return the 95 % point of the estimate where nothing is there to be found."""
    from asymptopia.theory.scorecard.mixtures import weighted_chi2

    # all 1 for independent rows: the chi-square law
    weights = result._sampling().null_weights(result._pseudo_count)
    return float(weighted_chi2(weights).isf(0.05)) / result.n_eff


def plot_monitor(monitor: MonitorResult, ax: Axes | None = None) -> Axes:
    """Draw the interval of every period, the critical value over all periods and the margin; return the Axes.

    The grey area is what the plug-in of all periods together stays within with probability 1 - alpha where nothing
    drifts.
    """
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    ax = _axes(ax)
    at = np.arange(len(monitor.names))
    colours = {"drift": ACCENT, "stable": STEADY, "no evidence": INK}
    critical = np.nan_to_num(monitor.critical)
    ax.bar(at, critical, width=1.0, color=NOISE, alpha=0.5, lw=0)
    for i, verdict in enumerate(monitor.verdicts):
        ax.plot([i, i], [monitor.ci.low[i], monitor.ci.high[i]], color=colours[verdict], lw=2, solid_capstyle="butt")
    ax.plot(at, monitor.estimate_smoothed, color=SOFT, lw=0.8, zorder=1.5)
    for i, verdict in enumerate(monitor.verdicts):
        ax.plot(i, monitor.estimate_smoothed[i], "o", ms=5, color=colours[verdict])
        if math.isfinite(monitor.estimate[i]):
            ax.plot(i, monitor.estimate[i], "_", ms=9, color=colours[verdict])
    interval = f"{100 * monitor.level:g} % interval"
    handles: list[Any] = [
        Line2D([], [], color=colour, marker="o", ms=5, lw=2, label=f"{interval}: {verdict}")
        for verdict, colour in colours.items()
        if verdict in monitor.verdicts
    ]
    handles.append(Line2D([], [], color=INK, marker="_", ms=9, lw=0, label="plug-in (point: smoothed)"))
    handles.append(Patch(color=NOISE, alpha=0.5, label=f"noise alone, all periods, {100 * (1 - monitor.alpha):g} %"))
    if monitor.margin is not None:
        ax.axhline(monitor.margin, color=ACCENT, lw=1, ls="--")
        handles.append(Line2D([], [], color=ACCENT, lw=1, ls="--", label=f"margin {monitor.margin:g}"))
    _label_cells(ax, monitor.names, at.size)
    if at.size > MOST_TICKS:
        shown = at[:: -(-at.size // MOST_TICKS)]
        ax.set_xticks(shown, [monitor.names[i] for i in shown])
    ax.set_xlim(-0.5, at.size - 0.5)
    ax.set_ylim(0.0, 1.05 * max(ax.get_ylim()[1], monitor.margin or 0.0))
    ax.set_xlabel("period")
    ax.set_ylabel("population stability index (nats)")
    # above the data, which fill the height
    ax.legend(handles=handles, frameon=False, loc="lower left", bbox_to_anchor=(0, 1), ncols=2, fontsize="small")
    return ax

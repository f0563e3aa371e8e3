"""Figure of a binning."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from asymptopia.theory._core.result import format_number
from asymptopia.theory.scorecard.plots import ACCENT, SOFT, Z95

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from asymptopia.theory.scorecard.binning.result import BinningResult


def plot_bins(result: BinningResult, ax: Axes | None = None) -> Axes:
    """Draw the weight of evidence (bars) and the event rate with 95 % Wilson intervals (points); return the Axes.

    The event rate has its own scale on the right. A bin of one outcome has no bar but its sign and infinity.
    """
    if ax is None:
        import matplotlib.pyplot as plt

        ax = plt.subplots(layout="constrained")[1]
    woe = result.information_value().woe
    at = np.arange(result.bins)
    shown = np.isfinite(woe)
    ax.bar(at[shown], woe[shown], width=0.7, color=SOFT)
    for i in at[~shown]:
        ax.annotate(f"{'+' if woe[i] > 0 else '−'}∞", (float(i), 0.0), ha="center", va="bottom", color=SOFT)
    ax.axhline(0.0, color=SOFT, lw=0.8)
    ax.set_ylabel("weight of evidence (nats, bars)")
    names = result.labels()
    ax.set_xticks(at, names)
    if max(map(len, names)) > 4:
        ax.tick_params(axis="x", rotation=30)
        for tick in ax.get_xticklabels():
            tick.set_horizontalalignment("right")
    ax.set_xlabel("bin" if result.edges is not None else "prebins")

    rows = result.table.sum(axis=1)
    rate, square = result.event_rate, Z95 * Z95
    centre = (rate + square / (2 * rows)) / (1 + square / rows)
    reach = Z95 * np.sqrt(rate * (1 - rate) / rows + square / (4 * rows * rows)) / (1 + square / rows)
    right = ax.twinx()
    right.errorbar(
        at, rate, (rate - centre + reach, centre + reach - rate), fmt="o", ms=4, color=ACCENT, capsize=3, lw=1
    )
    ordered = at[:-1] if result.missing else at
    right.plot(ordered, rate[ordered], color=ACCENT, lw=1)
    right.set_ylim(bottom=0.0)
    right.set_ylabel("event rate (points, 95 %)", color=ACCENT)
    right.tick_params(axis="y", labelcolor=ACCENT)
    name = "IV" if result.divergence == "jeffreys" else result.divergence
    found = f"{name} {format_number(result.value, 3)}, {result.bins} bins"
    if result.pvalue is not None:
        found += f", permutation p {format_number(result.pvalue, 2)}"
    ax.set_title(found, fontsize="medium")
    return ax

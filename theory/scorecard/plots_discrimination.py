"""ROC curve and cumulative accuracy profile of a binned score."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from asymptopia.theory._core.result import format_number
from asymptopia.theory._core.validation import choice

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from asymptopia.theory.scorecard.roc import DiscriminationResult

INK, ACCENT, SOFT = "#1f3a5f", "#c8553d", "#8fa8c4"
_LABELLED = 15


def plot_discrimination(result: DiscriminationResult, ax: Axes | None = None, *, kind: str = "roc") -> Axes:
    """Draw the curve through the cuts between the bins; return the Axes.

    Parameters
    ----------
    result : DiscriminationResult
        What `discrimination` returned.
    ax : Axes, optional
        Where to draw; created if None.
    kind : {"roc", "cap"}
        Share of bads over the share of goods, or over the share of all (cumulative accuracy profile).

    Raises
    ------
    ValueError
        If `kind` is another.
    """
    choice("kind", kind, ("roc", "cap"))
    if ax is None:
        import matplotlib.pyplot as plt

        ax = plt.subplots(layout="constrained")[1]
    goods, bads = result.curve()
    n, m = float(result.good.sum()), float(result.bad.sum())
    across = goods if kind == "roc" else (n * goods + m * bads) / (n + m)
    ax.plot([0, 1], [0, 1], color=SOFT, lw=0.8)
    if kind == "cap":
        ax.plot([0, m / (n + m), 1], [0, 1, 1], color=SOFT, lw=0.8, ls="--", label="perfect")
    ax.plot(across, bads, "o-", color=INK, ms=4, lw=1.4, label=_headline(result))
    if result.ranking.size <= _LABELLED:
        # a segment belongs to one bin: its label lies on its right, off the curve
        middle = np.column_stack([(across[1:] + across[:-1]) / 2, (bads[1:] + bads[:-1]) / 2])
        for (right, up), position in zip(middle, result.ranking[::-1], strict=True):
            ax.annotate(
                str(int(position) + 1), (right, up), (5, -9), textcoords="offset points", fontsize="small", color=SOFT
            )
    if kind == "roc" and result.ks > 0:
        at = goods.size - 1 - result.ks_cut
        ax.plot([goods[at]] * 2, [goods[at], bads[at]], color=ACCENT, lw=1.4, label=f"KS {result.ks:.3g}")
    ax.set_xlabel("share of goods" if kind == "roc" else "share of all accounts")
    ax.set_ylabel("share of bads")
    ax.set_xlim(-0.01, 1.01)
    ax.set_ylim(-0.01, 1.01)
    ax.set_aspect("equal")
    ax.legend(frameon=False, loc="lower right", fontsize="small")
    return ax


def _headline(result: DiscriminationResult) -> str:
    low, high = (format_number(end, 3) for end in result.auc_ci)
    return f"AUC {result.auc:.3f}   {100 * result.level:g} % [{low}, {high}]"

"""The figure of the performance-fairness front."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from asymptopia.theory.scorecard.plots import ACCENT, INK, SOFT

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from asymptopia.theory.scorecard.fairness.result import FrontResult


def plot_front(result: FrontResult, ax: Axes | None = None) -> Axes:
    """Draw target against protected information with intervals; supported points are filled; return the Axes."""
    if ax is None:
        import matplotlib.pyplot as plt

        ax = plt.subplots(layout="constrained")[1]
    x, y = result.protected_iv, result.target_iv
    ax.step(x, y, where="post", color=INK, lw=0.8, ls=":", zorder=2)
    for point in result.points:
        # held-out counts may put the whole interval beside the point: lines, not error bars around it
        low, high = point.target_ci
        ax.plot([point.protected_iv] * 2, [low, high], color=SOFT, lw=1.5, alpha=0.7, zorder=1)
        left, right = point.protected_ci
        if math.isfinite(right):
            ax.plot([left, right], [point.target_iv] * 2, color=SOFT, lw=1.5, alpha=0.7, zorder=1)
    marks: list[tuple[str, list[int], dict[str, Any]]] = [
        ("on the concave hull", [i for i, p in enumerate(result.points) if p.optimal and p.supported], {"color": INK}),
        (
            "optimal, below the hull",
            [i for i, p in enumerate(result.points) if p.optimal and not p.supported],
            {"color": "white", "markeredgecolor": INK},
        ),
        (
            "not proven optimal",
            [i for i, p in enumerate(result.points) if not p.optimal],
            {"color": "white", "markeredgecolor": ACCENT},
        ),
    ]
    for label, rows, style in marks:
        if rows:
            ax.plot(x[rows], y[rows], "o", ms=6, label=label, zorder=3, clip_on=False, **style)
    open_ended = [i for i, p in enumerate(result.points) if not p.optimal and math.isfinite(p.bound)]
    if open_ended:
        bounds = [result.points[i].bound for i in open_ended]
        ax.plot(x[open_ended], bounds, "_", ms=10, color=ACCENT, label="bound on the optimum")
    source = "held-out" if result.held_out else "in-sample"
    ax.plot([], [], color=SOFT, lw=1.5, label=f"{100 * result.level:g} % interval, {source} counts")
    ax.set_xlabel("information about the protected attribute (nats)")
    ax.set_ylabel("information about the target (nats)")
    ax.set_xlim(left=0.0)
    ax.set_ylim(bottom=0.0)
    ax.grid(lw=0.3)
    ax.set_axisbelow(True)
    ax.legend(frameon=False, loc="lower right", fontsize="small")
    return ax

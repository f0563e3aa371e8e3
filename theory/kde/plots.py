"""Figures of the theory of kernel estimates. Each takes a result and an Axes, draws into it and returns it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from asymptopia.theory._core.result import format_number
from asymptopia.theory._core.validation import fail
from asymptopia.theory.kde.arguments import Array
from asymptopia.theory.kde.plots_data import (
    ACCENT,
    INK,
    NOISE,
    SOFT,
    STEADY,
    axes_of,
    legend,
    plain_ticks,
    plot_diagnosis,
    plot_likelihood,
    plot_report,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from asymptopia.theory.kde.finite_result import FiniteKDE
    from asymptopia.theory.kde.phases import KDEPhases

__all__ = ["plot_diagnosis", "plot_finite", "plot_likelihood", "plot_phases", "plot_report"]

REGIONS = {"condensed": ACCENT, "stable": SOFT, "clt": STEADY, "empty": NOISE}
NAMES = {
    "condensed": "condensed",
    "stable": "stable law",
    "clt": "central limit theorem",
    "empty": "empty",
}

_POINTS = 121
_BANDWIDTHS = 33
_FLOOR = 1e-290
"""Bandwidths below it are not drawn."""


def plot_phases(
    phases: KDEPhases, ax: Axes | None = None, *, points: Mapping[str, tuple[float, float]] | None = None
) -> Axes:
    """Draw the regimes in the plane of alpha and the bandwidth; return the Axes.

    Parameters
    ----------
    phases : KDEPhases
        Its thresholds; for a single alpha they are drawn from a third to three times it.
    ax : Axes, optional
        Where to draw; created if None.
    points : mapping of str to pair of float, optional
        Label, alpha and bandwidth of points to mark.
    """
    ax = axes_of(ax)
    grid = _grid(phases)
    alpha = np.asarray(grid.alpha)
    low, high = _span(grid, points)
    edges = {"empty": _drawn(np.asarray(grid.kernel.log_empty(np.asarray(grid.log_nn_dist2))), low, high)}
    edges["condensed"] = np.maximum(_drawn(np.asarray(grid.log_h_G), low, high), edges["empty"])
    edges["stable"] = np.maximum(_drawn(np.asarray(grid.log_h_CLT), low, high), edges["condensed"])
    edges["clt"] = np.full(alpha.shape, high)
    below = np.full(alpha.shape, low)
    for name, above in edges.items():
        if (above > below).any():
            ax.fill_between(alpha, below, above, color=REGIONS[name], alpha=0.25, lw=0)
            _name(ax, alpha, below, above, NAMES[name])
        below = above
    lines = [
        (grid.log_h_CLT, STEADY, "-", "h_CLT"),
        (grid.log_h_G, INK, "-", "h_G"),
        (grid.log_h_star, ACCENT, "--", "h*, least KL (leading order)"),
    ]
    if grid.kernel.name == "gaussian":
        lines.append((grid.log_h_collapse, "black", ":", "h_C, samples repeat the data"))
    for logs, colour, style, label in lines:
        inside = np.isfinite(logs) & (np.asarray(logs) > math.log(_FLOOR))
        if inside.any():
            values = np.exp(np.where(inside, logs, np.nan))
            ax.plot(alpha, values, color=colour, ls=style, lw=1.6, label=label)
    for (label, (at, h)), marker in zip((points or {}).items(), "o^vDsPX" * 9, strict=False):
        ax.plot(at, h, marker, ms=8, color="black", mfc="white", mew=1.5, ls="", label=label)
    ax.set_xscale("log")
    ax.set_yscale("log")
    ax.set_xlim(float(alpha.min()), float(alpha.max()))
    ax.set_ylim(low, high)
    plain_ticks(ax.xaxis)
    plain_ticks(ax.yaxis)
    ax.set_xlabel("α = log n / d")
    ax.set_ylabel("bandwidth h")
    ax.set_title(f"{grid.kernel.label} kernel, large d", fontsize="medium")
    legend(ax, loc="lower left")
    return ax


def _name(ax: Axes, alpha: Array, below: Array, above: Array, name: str) -> None:
    """Write a region's name where it is widest, right of the legend."""
    width = np.log(above / below)
    width[: round(0.68 * width.size)] = 0.0
    width[round(0.88 * width.size) :] = 0.0
    i = int(np.argmax(width))
    if width[i] > 0.1:
        middle = math.sqrt(below[i] * above[i])
        # a ground of its own, for a line may run through a narrow region
        ground = {"color": "white", "alpha": 0.6, "pad": 1.5, "lw": 0}
        ax.text(alpha[i], middle, name, ha="center", va="center", fontsize="small", color="dimgray", bbox=ground)


def _grid(phases: KDEPhases) -> KDEPhases:
    """Return the thresholds at many alpha: those given, sorted, or a range around a single one."""
    from asymptopia.theory.kde.thresholds import phase_thresholds

    given = np.asarray(phases.alpha).ravel()
    given = given[np.isfinite(given)]
    if given.size == 0:
        raise fail("phases.alpha", math.inf, "at least one finite value to draw")
    ends = (given.min(), given.max()) if given.max() > 1.2 * given.min() else (given[0] / 3.0, 3.0 * given[0])
    law = phases.law
    values, weights = np.append(0.0, np.exp(law.log_scale + law.log_values)), np.append(law.null, law.weights)
    alpha = np.geomspace(*ends, _POINTS)
    return phase_thresholds(alpha, eigenvalues=values, weights=weights, r2=phases.r2, kernel=phases.kernel)


def _span(grid: KDEPhases, points: Mapping[str, tuple[float, float]] | None) -> tuple[float, float]:
    """Return the ends of the axis of bandwidths, around all lines and points."""
    logs = np.concatenate([np.asarray(grid.log_h_G), np.asarray(grid.log_h_CLT), np.asarray(grid.log_h_star)])
    logs = np.append(logs[np.isfinite(logs)], [math.log(h) for _, h in (points or {}).values()])
    logs = logs[logs > math.log(_FLOOR)]
    if logs.size == 0:
        return 0.1, 10.0
    # room for the legend below
    low, high = float(logs.min()), float(logs.max())
    room = max(0.5, 0.75 * (high - low + 0.4) if points else 0.45 * (high - low))
    return math.exp(max(low - room, math.log(_FLOOR))), math.exp(high + 0.4)


def _drawn(logs: Array, low: float, high: float) -> Array:
    """Return bandwidths cut to the axis; a threshold that does not exist lies above or below it."""
    return np.exp(np.clip(logs, math.log(low), math.log(high)))


def plot_finite(result: FiniteKDE, ax: Axes | None = None) -> Axes:
    """Draw the exact divergence and participation against the bandwidth; return the Axes of the divergence.

    Parameters
    ----------
    result : FiniteKDE
        Over several bandwidths. For a single one 33 around it are computed, and it is marked.
    ax : Axes, optional
        Where to draw; created if None. The participation gets an axis on the right.
    """
    from asymptopia.theory.kde.finite import finite_size
    from asymptopia.theory.kde.thresholds import phase_thresholds

    ax = axes_of(ax)
    found = result
    if np.size(result.h) < 2:
        single = float(np.ravel(result.h)[0])
        h = np.geomspace(single / 2.5, 2.5 * single, _BANDWIDTHS)
        found = finite_size(log_n=result.log_n, d=result.d, h=h, x2=result.x2, sigma2=result.sigma2)
    order = np.argsort(np.ravel(found.h))
    h, kl, share = (np.ravel(item)[order] for item in (found.h, found.kl, found.participation))
    phases = phase_thresholds(result.alpha, sigma2=result.sigma2)
    ax.plot(h, kl / result.d, color=INK, lw=1.8, label="KL / d, exact")
    if result.x2 is None:
        ax.plot(h, phases.kl(h), color=NOISE, lw=1.4, ls="--", label="KL / d, leading order")
        best = result.h_opt
        if h[0] <= best <= h[-1]:
            label = f"best {format_number(best, 4)}"
            ax.plot(best, np.interp(math.log(best), np.log(h), kl / result.d), "o", color=ACCENT, ms=7, label=label)
        _mark(ax, phases.h_star, h, ACCENT, "h*, leading order", "--")
    if np.size(result.h) < 2:
        label = f"h = {format_number(float(np.ravel(result.h)[0]), 4)}"
        ax.plot(np.ravel(result.h), np.ravel(result.kl) / result.d, "D", ms=6, color=INK, mfc="white", label=label)
    _mark(ax, phases.h_G, h, SOFT, "h_G, leading order", ":")
    _mark(ax, phases.h_CLT, h, STEADY, "h_CLT, leading order", ":")
    right: Any = ax.twinx()
    right.plot(h, share, color=STEADY, lw=1.6)
    right.set_ylim(0.0, 1.0)
    right.set_ylabel("participation E Y₂ (right)", color=STEADY)
    ax.plot([], [], color=STEADY, lw=1.6, label="E Y₂, exact (right)")
    ax.set_xscale("log")
    ax.set_xlim(float(h[0]), float(h[-1]))
    plain_ticks(ax.xaxis)
    ax.set_xlabel("bandwidth h")
    ax.set_ylabel("KL / d (nats)" if result.x2 is None else "log(ρ / ρ̂) / d at the query (nats)")
    ax.set_title(f"log n = {format_number(result.log_n, 4)}, d = {result.d}", fontsize="medium")
    legend(ax)
    return ax


def _mark(ax: Axes, at: float, h: Array, colour: str, label: str, style: str) -> None:
    if h[0] <= at <= h[-1]:
        ax.axvline(at, color=colour, lw=1.3, ls=style, label=f"{label} {format_number(at, 4)}")

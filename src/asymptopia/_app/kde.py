"""The tab on density estimates: where (n, d, h) lies among the regimes, and the exact divergence at this n and d."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from asymptopia._app.base import (
    ACCENT,
    INK,
    NOISE,
    SOFT,
    STEADY,
    Control,
    Drawing,
    Tab,
    count,
    legend,
    log_axis,
    panels,
    powers,
    short,
)

Array = NDArray[np.float64]

_WIDTHS = 9
_COARSE = 2.0
"""Every second query of the full rule: the curve is right to four digits, in half the time."""
BANDWIDTHS = (*(round(0.3 + 0.025 * k, 3) for k in range(28)), *(round(1.0 + 0.05 * k, 2) for k in range(21)))
PHASES = {
    "condensed": "a few samples set the density",
    "stable": "the density fluctuates by a stable law",
    "clt": "the central limit theorem holds",
}


class Curve(NamedTuple):
    """The exact mean divergence and participation at one n and d, over bandwidths."""

    log_h: Array
    kl: Any
    y2: Any
    best: float
    h_star: float


def draw(n: float, d: int, h: float) -> Drawing:
    """Return the map of the regimes with this estimate on it, and the divergence against the bandwidth."""
    from asymptopia.theory.kde import phase_thresholds
    from asymptopia.theory.kde.exact_integrals import local_index
    from asymptopia.theory.kde.plots import plot_phases

    log_n = math.log(n)
    alpha, best = log_n / d, _curve(log_n, d)
    kl, y2 = _at(log_n, d, h)
    least, phases = float(best.kl(math.log(best.best))), phase_thresholds(alpha)
    figure, (left, right) = panels()
    plot_phases(phases, left, points={"this estimate": (alpha, h), "best at this n and d": (alpha, best.best)})
    left.set_title("regimes, large d", fontsize="medium")
    for name in left.texts:
        # the panel is narrow
        name.set(ha="right", fontsize="x-small")
    low, high = min(math.exp(best.log_h[0]), h), max(math.exp(best.log_h[-1]), h)
    inside = np.linspace(best.log_h[0], best.log_h[-1], 121)
    right.plot(np.exp(inside), best.kl(inside) / d, color=INK, lw=1.8, label="KL / d, exact")
    grid = np.geomspace(low, high, 121)
    right.plot(grid, phases.kl(grid), color=NOISE, lw=1.4, ls="--", label="KL / d, leading order")
    right.plot(best.best, least / d, "o", color=ACCENT, ms=7, label=f"best h {best.best:.3g}")
    right.plot(h, kl / d, "D", color=INK, mfc="white", ms=7, label=f"h = {h:g}")
    for place, colour, name in ((phases.h_G, SOFT, "h_G"), (phases.h_CLT, STEADY, "h_CLT")):
        if low <= place <= high:
            right.axvline(place, color=colour, lw=1.3, ls=":", label=f"{name} {place:.3g}, leading order")
    right.set_xlabel("bandwidth h (standard deviations)")
    right.set_ylabel("mean KL / d (nats)")
    right.set_title(f"n = {count(n)}, d = {d}: α = {alpha:.3g}", fontsize="medium")
    for ax in (left, right):
        log_axis(ax.xaxis)
        log_axis(ax.yaxis)
    legend(right)
    index = float(local_index(log_n, d, np.array(h), d))
    phase = "condensed" if index < 1 else "stable" if index < 2 else "clt"
    return Drawing(
        figure,
        f"At n = {count(n)}, d = {d} and h = {h:g} {PHASES[phase]}: stability index {short(index)}, and about "
        f"{short(1.0 / y2)} samples count at a query. The divergence is {short(kl)} nats. Least is {short(least)} at "
        f"h = {short(best.best)}; the leading order in d puts the best bandwidth at {short(best.h_star)}.",
    )


@lru_cache(maxsize=128)
def _curve(log_n: float, d: int) -> Curve:
    """Return the curve: the divergence and its derivative in log h at a few bandwidths, joined by cubics."""
    from scipy.interpolate import CubicHermiteSpline, PchipInterpolator

    from asymptopia.theory.kde import phase_thresholds
    from asymptopia.theory.kde.finite import data_mean

    h_star = float(phase_thresholds(log_n / d).h_star)
    # Scott's rule is near the optimum in few dimensions, the leading order in many
    log_h = math.log(max(h_star, 1.25 * math.exp(-log_n / (d + 4)))) + np.linspace(-math.log(2), math.log(2), _WIDTHS)
    found = data_mean(log_n, d, np.exp(log_h), _COARSE).inner
    kl = CubicHermiteSpline(log_h, log_n + d * (log_h - 0.5) - found.mean_log_z, d - found.mean_t * np.exp(-2 * log_h))
    fine = np.linspace(log_h[0], log_h[-1], 4001)
    best = math.exp(fine[int(np.argmin(kl(fine)))])
    return Curve(log_h, kl, PchipInterpolator(log_h, found.y2), best, h_star)


@lru_cache(maxsize=256)
def _at(log_n: float, d: int, h: float) -> tuple[float, float]:
    """Return the divergence and the participation at one bandwidth."""
    from asymptopia.theory.kde.finite import data_mean

    curve, at = _curve(log_n, d), math.log(h)
    if curve.log_h[0] <= at <= curve.log_h[-1]:
        return float(curve.kl(at)), float(curve.y2(at))
    found = data_mean(log_n, d, np.array(h), _COARSE).inner
    return log_n + d * (at - 0.5) - float(found.mean_log_z), float(found.y2)


TAB = Tab(
    "density estimate",
    "Is my kernel density estimate an average, or the work of a handful of points?",
    (
        Control("n", "points n", powers(1, 9), 1000),
        Control("d", "dimension d", (6, 8, 10, 12, 15, 20, 30, 50, 70, 100, 150, 200, 300, 400), 20),
        Control("h", "bandwidth h", BANDWIDTHS, 0.65),
    ),
    draw,
)

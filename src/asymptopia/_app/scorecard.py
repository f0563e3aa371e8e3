"""The tab on the population stability index: what noise alone makes of it, and what a threshold then says."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

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
    percent,
    powers,
    short,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_FEWEST = 5
"""Expected counts in a bin below which the chi-square law is not to be relied on."""


def draw(n: int, bins: int, threshold: float, alpha: float) -> Drawing:
    """Return the law of the index without a shift, and the false alarms of a threshold against the sample size."""
    from asymptopia.theory.scorecard import psi_critical_value, threshold_false_alarm

    alarm = float(threshold_false_alarm(threshold, n, n, bins))
    critical = float(psi_critical_value(n, n, bins, alpha))
    # the critical value is in inverse proportion to n
    enough = critical * n / threshold
    figure, (left, right) = panels()
    _law(left, n, bins, threshold, critical, alpha)
    sizes = np.geomspace(20, 1e6, 241)
    other = 0.25 if threshold == 0.1 else 0.1
    for rule, colour, dashes in ((threshold, INK, "-"), (other, SOFT, "--")):
        alarms = threshold_false_alarm(rule, sizes, sizes, bins)
        right.plot(sizes, alarms, color=colour, lw=1.7, ls=dashes, label=f"PSI > {rule:g}")
    right.axhline(alpha, color=STEADY, lw=1.2, ls=":", label=f"level {alpha:g}")
    right.plot(n, alarm, "D", color=INK, mfc="white", ms=7, label=f"n = {count(n)} a side")
    right.set_xlim(20, 1e6)
    log_axis(right.xaxis)
    right.set_ylim(-0.03, 1.03)
    right.set_xlabel("sample size n, of both sides")
    right.set_ylabel("probability of a false alarm")
    right.set_title("stable populations that a threshold calls shifted", fontsize="medium")
    legend(right)
    few = "" if n >= _FEWEST * bins else f" With {short(n / bins)} expected in a bin the law is a rough guide only."
    return Drawing(
        figure,
        f"With {count(n)} a side and {bins} bins the rule PSI > {threshold:g} calls {percent(alarm)} of stable "
        f"populations shifted. A test of level {alpha:g} rejects above {short(critical)}. The rule has that level at "
        f"n = {count(math.ceil(enough))}: below it sees shifts that are not there, above it misses some that the test "
        f"finds.{few}",
    )


def _law(ax: Axes, n: int, bins: int, threshold: float, critical: float, alpha: float) -> None:
    """Draw the density of the index where nothing has shifted: chi-square over the effective size."""
    from scipy.special import gammaln

    half, scale = 0.5 * (bins - 1), 4.0 / n
    right = max(1.4 * critical, min(1.15 * threshold, 4.0 * critical))
    x = np.linspace(right / 2000, right, 600)
    y = x / scale
    density = np.exp((half - 1.0) * np.log(y) - y - gammaln(half)) / scale
    top = 1.15 * float(density[x > right / 100].max())
    ax.plot(x, density, color=INK, lw=1.8, label="PSI without a shift")
    if threshold < right:
        ax.fill_between(x, 0.0, np.minimum(density, top), where=x >= threshold, color=ACCENT, alpha=0.3, lw=0)
        ax.axvline(threshold, color=ACCENT, lw=1.5, label=f"threshold {threshold:g}")
    else:
        ax.plot([], [], color=ACCENT, lw=1.5, label=f"threshold {threshold:g}: beyond the right edge")
    ax.axvline(critical, color=STEADY, lw=1.5, ls="--", label=f"critical value {short(critical)}, level {alpha:g}")
    ax.axvline((bins - 1) * 2.0 / n, color=NOISE, lw=1.2, ls=":", label=f"mean {short((bins - 1) * 2.0 / n)}")
    ax.set_xlim(0.0, right)
    ax.set_ylim(0.0, top)
    ax.set_yticks([])
    ax.set_xlabel("PSI (nats)")
    ax.set_ylabel("density")
    ax.set_title(f"n = {count(n)} a side, {bins} bins", fontsize="medium")
    legend(ax, loc="upper right")


TAB = Tab(
    "stability index",
    "Is a PSI above 0.1 a shift?",
    (
        Control("n", "accounts n, a side", powers(2, 5, (1, 2, 3, 5, 7)), 200),
        Control("bins", "bins", tuple(range(2, 31)), 10),
        Control("threshold", "threshold", (0.01, 0.02, 0.05, 0.1, 0.15, 0.2, 0.25, 0.5), 0.1),
        Control("alpha", "level of the test", (0.001, 0.01, 0.05, 0.1), 0.05),
    ),
    draw,
)

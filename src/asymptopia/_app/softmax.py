"""The tab on the radius of cross-entropy along a step: the zeros that set it, and what the logit gap does to it."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from asymptopia._app.base import ACCENT, INK, NOISE, STEADY, Control, Drawing, Tab, legend, panels, short

_LEAST = 33


def draw(gap: float, span: float, classes: int, tau: float) -> Drawing:
    """Return the plane of a step with its zeros, and the radius against the gap of the leading logit."""
    from asymptopia.theory.softmax import softmax_radius
    from asymptopia.theory.softmax.plots import plot_radius

    slopes = np.linspace(0.5 * span, -0.5 * span, classes)
    found = softmax_radius(_logits(np.array([gap]), classes)[0], slopes, method="exact")
    radius = float(found.radius)
    figure, (left, right) = panels()
    plot_radius(found, left)
    left.set_title(f"zeros of the partition function, {classes} classes", fontsize="medium")
    if tau < left.get_xlim()[1]:
        left.plot(
            tau, 0.0, "D", color=INK, mfc="white", ms=6, label=f"τ = {tau:g}", zorder=5, scalex=False, scaley=False
        )
    left.legend(frameon=False, fontsize="small", loc="upper right")
    gaps = np.linspace(0.0, 12.0, _LEAST)
    z = _logits(gaps, classes)
    right.plot(gaps, softmax_radius(z, slopes, method="exact").radius, color=INK, lw=1.8, label="exact radius")
    right.plot(gaps, softmax_radius(z, slopes, method="hyperbola").radius, color=ACCENT, lw=1.5, ls="--",
               label="bound B3")  # fmt: skip
    right.axhline(math.pi / span, color=STEADY, lw=1.5, ls="-.", label=f"π/Δ = {short(math.pi / span)}")
    right.axhline(tau, color=NOISE, lw=1.2, ls=":", label=f"step τ = {tau:g}")
    right.plot(gap, radius, "D", color=INK, mfc="white", ms=7, label=f"gap {gap:g}")
    right.set_ylim(0.0, 1.1 * max(right.get_ylim()[1], tau))
    right.set_xlabel("logit of the leading class less the others'")
    right.set_ylabel("radius, in units of the step")
    right.set_title("radius against the logit gap", fontsize="medium")
    legend(right)
    times = tau / radius
    side = "inside" if times < 1 else "outside"
    return Drawing(
        figure,
        f"The series of the loss along the step converges up to {short(radius)}; π/Δ is {short(math.pi / span)}, "
        f"{short(math.pi / span / radius)} of it. A step τ = {tau:g} is {short(times)} radii, {side}. "
        "Outside, no Taylor polynomial says what the loss does; that a step is inside does not make the loss fall.",
    )


def _logits(gaps: NDArray[np.float64], classes: int) -> NDArray[np.float64]:
    """Return logits of one leading class and equal others, a row a gap."""
    z = np.zeros((gaps.size, classes))
    z[:, 0] = gaps
    return z


TAB = Tab(
    "softmax radius",
    "How long a step can a Taylor series of cross-entropy describe?",
    (
        Control("gap", "logit gap", tuple(0.5 * k for k in range(25)), 3.0),
        Control("span", "span Δ of the slopes", (0.25, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 4.0, 6.0, 8.0), 1.5),
        Control("classes", "classes", (2, 3, 4, 5, 6, 8, 10, 15, 20, 30, 50), 2),
        Control("tau", "step τ", (0.1, 0.2, 0.5, 1.0, 1.5, 2.0, 3.0, 5.0, 8.0, 10.0), 1.0),
    ),
    draw,
)

"""The tab on Approach 2: the vertex of a parabola through an isoFLOP curve, and its bias without any noise."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from asymptopia._app.base import ACCENT, INK, NOISE, SOFT, Control, Drawing, Tab, legend, log_axis, panels

FACTORS = (1.5, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 100)
EXPONENTS = tuple(round(0.1 + 0.02 * k, 2) for k in range(26))


def draw(alpha: float, beta: float, factor: float, points: int, center: float) -> Drawing:
    """Return the isoFLOP curve with its parabola, and the bias of the vertex against the width of the grid."""
    from asymptopia.theory.scaling import approach2_bias

    shift = math.log(center)
    bias = float(approach2_bias(alpha, beta, factor=factor, n=points, center=shift))
    figure, (left, right) = panels()
    half = math.log(factor)
    grid = shift + np.linspace(-half, half, points)
    reach = 1.15 * (half + abs(shift))
    fine = np.linspace(-reach, reach, 241)

    def loss(u: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.asarray((beta * np.expm1(-alpha * u) + alpha * np.expm1(beta * u)) / (alpha + beta))

    parabola = np.polynomial.Polynomial.fit(grid, loss(grid), 2)
    left.plot(np.exp(fine), loss(fine), color=INK, lw=1.8, label="isoFLOP curve")
    inside = fine[np.abs(fine - shift) <= 1.1 * half]
    left.plot(np.exp(inside), parabola(inside), color=ACCENT, lw=1.5, ls="--", label="parabola")
    left.plot(np.exp(grid), loss(grid), "o", ms=4, color=SOFT, label=f"{points} sizes")
    left.axvline(1.0, color=NOISE, lw=1.2, ls=":", label="N*")
    left.axvline(math.exp(bias), color=ACCENT, lw=1.5, label=f"vertex {math.exp(bias):.3g} N*")
    left.set_xlabel("parameters over N*")
    left.set_ylabel("loss above its minimum (scaled)")
    left.set_title(f"α = {alpha:g}, β = {beta:g}", fontsize="medium")
    log_axis(left.xaxis)
    legend(left)
    widths = np.geomspace(1.2, 120.0, 161)
    right.plot(widths, np.exp(approach2_bias(alpha, beta, factor=widths, n=points, center=shift)), color=INK, lw=1.8,
               label="exact")  # fmt: skip
    leading = (alpha - beta) * (3 * points**2 - 7) / (30 * (points - 1) ** 2)
    said = ""
    if center == 1:
        right.plot(widths, np.exp(leading * np.log(widths) ** 2), color=SOFT, lw=1.5, ls="--", label="leading order")
        said = f" (the leading order says {_off(leading * half**2)})"
    right.plot(factor, math.exp(bias), "D", color=INK, mfc="white", ms=7, label=f"grid to {factor:g} times its centre")
    right.axhline(1.0, color=NOISE, lw=1.2, ls=":", label="no bias")
    right.set_xlabel("half-width of the grid, as a factor")
    right.set_ylabel("vertex over N*")
    right.set_title("bias of the vertex, without noise", fontsize="medium")
    log_axis(right.xaxis)
    legend(right)
    if abs(bias) < 1e-12:
        sentence = "Equal exponents and a centred grid: the vertex is N*, without bias."
    else:
        sentence = (
            f"The vertex of {points} sizes from N*·{center / factor:.3g} to N*·{center * factor:.3g} lies {_off(bias)} "
            f"N*{said}, and the tokens {_off(-bias)} D*. The error has no noise in it and is the same at every budget: "
            "more runs do not mend it, a narrower grid "
            f"{'' if center == 1 else 'about the vertex '}does."
        )
    return Drawing(figure, sentence)


def _off(log_ratio: float) -> str:
    side = "above" if log_ratio > 0 else "below"
    return f"{100 * abs(math.expm1(log_ratio)):.3g} % {side}"


TAB = Tab(
    "isoFLOP parabola",
    "How wrong is the parabola through an isoFLOP curve, without any noise?",
    (
        Control("alpha", "exponent α of N", EXPONENTS, 0.34),
        Control("beta", "exponent β of D", EXPONENTS, 0.28),
        Control("factor", "grid: up to this many times its centre", FACTORS, 16),
        Control("points", "sizes on the grid", (3, 5, 7, 9, 11, 15, 21, 31), 15),
        Control("center", "centre of the grid over N*", (0.25, 0.5, 0.7, 1, 1.5, 2, 4), 1),
    ),
    draw,
)

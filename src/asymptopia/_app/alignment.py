"""The tab on best-of-N: its reward against the optimum of a KL budget, and the gap as the sequence grows."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any

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
    panels,
    powers,
    short,
)

LETTERS: dict[str, tuple[tuple[float, ...], tuple[float, ...]]] = {
    "rewards 0, 1 (a lattice)": ((0.7, 0.3), (0.0, 1.0)),
    "rewards 0, 1, √2 (no lattice)": ((0.5, 0.3, 0.2), (0.0, 1.0, math.sqrt(2.0))),
}
LENGTHS = (10, 12, 15, 20, 25, 30, 40, 50, 60, 80, 100, 120, 150, 200)
ORDERS = {1: (SOFT, "--"), 2: (ACCENT, "-."), 3: (STEADY, ":")}
_POINTS = 14


def draw(letters: str, N: float, m: int, delta: float) -> Drawing:
    """Return the reward of best-of-N beside the optimum's, and the divergence between the two against the length."""
    found = _exact(letters, m, math.log(N))
    figure, (left, right) = panels()
    frontier = _frontier(left, letters, m, math.log(N) / m, delta)
    at_kl, reward = found.kl / m, found.mean_reward / m
    optimum = float(np.interp(at_kl, *frontier))
    left.plot(at_kl, reward, "D", color=INK, mfc="white", ms=7, label=f"N = {count(N)}")
    legend(left, loc="lower right")
    size = m * delta
    gap, values = _growth(right, letters, m, delta)
    start = float(frontier[1][0])
    share = 1.0 if optimum == start else (reward - start) / (optimum - start)
    orders = ", ".join(f"order {order} says {short(value)}" for order, value in values.items())
    budget = f"N = {count(math.exp(size))}" if size < 40 else f"log N = {short(size)}"
    return Drawing(
        figure,
        f"Over {m} letters best of N = {count(N)} spends {short(found.kl)} nats and reaches {100 * share:.3g} % of the "
        f"gain that the optimum has for the same divergence. At {delta:g} nats a letter, {budget}, the divergence "
        f"between the two is {short(gap)} nats"
        + (f"; {orders}." if orders else "; the sequence is too short for the expansion.")
        + " It grows like ½ log m; per letter it vanishes.",
    )


@lru_cache(maxsize=512)
def _exact(letters: str, m: int, log_n: float) -> Any:
    from asymptopia.theory.alignment import best_of_n_memoryless

    return best_of_n_memoryless(*LETTERS[letters], m=m, log_n=log_n)


def _frontier(ax: Any, letters: str, m: int, nats: float, delta: float) -> tuple[Any, Any]:
    """Draw reward against divergence a letter; return the optimum's curve."""
    from asymptopia.theory.alignment import kl_frontier

    p, r = LETTERS[letters]
    most = 0.95 * -math.log(p[-1])
    grid = np.linspace(0.0, min(most, 1.25 * max(nats, delta)), 161)
    optimum = np.asarray(kl_frontier(p, r, grid).reward)
    sizes = np.linspace(0.0, 1.0, _POINTS) ** 2 * grid[-1] * m
    chosen = [_exact(letters, m, float(size)) for size in sizes]
    ax.plot(grid, optimum, color=ACCENT, lw=1.6, label="optimum of the KL budget")
    label = f"best-of-N, m = {m}, exact"
    ax.plot([item.kl / m for item in chosen], [item.mean_reward / m for item in chosen], color=INK, lw=1.6, label=label)
    ax.axvline(delta, color=NOISE, lw=1.2, ls=":", label=f"δ = {delta:g}")
    ax.set_xlim(0.0, grid[-1])
    ax.set_xlabel("KL divergence a letter (nats)")
    ax.set_ylabel("expected reward a letter")
    ax.set_title("what a divergence buys", fontsize="medium")
    return grid, optimum


def _growth(ax: Any, letters: str, m: int, delta: float) -> tuple[float, dict[int, float]]:
    """Draw the divergence between both at N = exp(m delta); return it at m, and what the orders say there."""
    lengths = np.array(sorted({*LENGTHS, m}))
    exact = [_exact(letters, int(length), float(length) * delta) for length in lengths]
    gaps = np.array([item.kl_to_tilt for item in exact])
    here = int(np.searchsorted(lengths, m))
    ax.plot(lengths, gaps, color=INK, lw=1.8, label="exact")
    said = {}
    for order, (colour, dashes) in ORDERS.items():
        values = np.array([_expanded(item, order) for item in exact])
        if np.isfinite(values).any():
            ax.plot(lengths, values, color=colour, ls=dashes, lw=1.6, label=f"order {order}")
        if math.isfinite(values[here]):
            said[order] = float(values[here])
    ax.plot(m, gaps[here], "D", color=INK, mfc="white", ms=7, label=f"m = {m}")
    ax.set_xscale("log")
    ax.set_xticks([10, 20, 50, 100, 200], ["10", "20", "50", "100", "200"])
    ax.minorticks_off()
    ax.set_xlabel("letters m")
    ax.set_ylabel("KL of best-of-N from the optimum (nats)")
    ax.set_title(f"N = exp({delta:g} m)", fontsize="medium")
    legend(ax)
    return float(gaps[here]), said


def _expanded(result: Any, order: int) -> float:
    """Return the expansion of the divergence; NaN for a short sequence, or an order not known on a lattice."""
    if order == 3 and result.span > 0:
        return math.nan
    try:
        return float(result.asymptotic(order).kl_to_tilt)
    except ArithmeticError:
        return math.nan


TAB = Tab(
    "best-of-N",
    "How far is best-of-N from the optimum of a KL budget?",
    (
        Control("letters", "letters", tuple(LETTERS), "rewards 0, 1, √2 (no lattice)"),
        Control("N", "samples N", powers(0, 6), 1000),
        Control("m", "letters m", LENGTHS, 100),
        Control("delta", "budget δ (nats a letter)", tuple(round(0.02 * k, 2) for k in range(1, 51)), 0.1),
    ),
    draw,
)

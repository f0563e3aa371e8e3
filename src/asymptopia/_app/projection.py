"""The tab on the risk of the maximum likelihood estimator: exact, its series, the threshold and the n it asks for."""

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
    percent,
    powers,
    short,
)

Array = NDArray[np.float64]

FAMILIES = ("normal in d dimensions", "multinomial, k equal cells")
_LARGEST = 2000
"""Sizes up to which the multinomial sum over samples is quick enough to follow a slider."""


class Model(NamedTuple):
    """A family at its parameter, and its series."""

    family: Any
    theta: Any
    series: Any


def draw(family: str, size: int, n: int, alpha: float) -> Drawing:
    """Return the risk against n, exact and by the series, and how far the series is from it."""
    from asymptopia.theory.projection.bayes import kl_threshold

    model, bound = _model(family, size), float(kl_threshold(alpha))
    series, p = model.series, model.family.dim
    sizes, exact = _curve(family, size)
    grid = np.unique(np.geomspace(max(2, size), 1e5, 161).round())
    figure, (left, right) = panels()
    left.plot(sizes, exact, color=INK, lw=1.8, label="exact")
    orders = {1: (SOFT, "--", f"first order, {p}/(2n)"), 2: (STEADY, "-.", "second order")}
    for order, (colour, dashes, label) in orders.items():
        left.plot(grid, series.risk(grid, order), color=colour, ls=dashes, lw=1.6, label=label)
        right.plot(sizes, series.risk(sizes, order) / exact - 1.0, color=colour, ls=dashes, lw=1.6, label=label)
    here = _risk(family, size, n)
    value = here if math.isfinite(here) else float(series.risk(n, 2))
    needed = {order: series.required_n(bound, order) for order in (1, 2)}
    enough = _required(family, size, bound, needed[2])
    left.axhline(bound, color=ACCENT, lw=1.3, label=f"threshold {short(bound)}")
    left.axvline(enough, color=NOISE, lw=1.2, ls=":", label=f"n = {count(enough)} is enough")
    left.plot(n, value, "D", color=INK, mfc="white", ms=7, label=f"n = {count(n)}")
    for axis in (left.xaxis, left.yaxis, right.xaxis):
        log_axis(axis)
    left.set_xlabel("sample size n")
    left.set_ylabel("E KL(truth ‖ estimate) (nats)")
    left.set_title(f"{_named(family, size)}, p = {p}", fontsize="medium")
    legend(left)
    right.axhline(0.0, color=INK, lw=1.4, label="exact")
    right.axvline(n, color=NOISE, lw=1.2, ls=":", label=f"n = {count(n)}")
    right.set_ylim(-1.0, 0.6)
    right.set_yticks([-1.0, -0.5, -0.2, 0.0, 0.2, 0.5], ["−100 %", "−50 %", "−20 %", "0", "+20 %", "+50 %"])
    right.set_xlabel("sample size n")
    right.set_title("series over the exact risk, less one", fontsize="medium")
    legend(right, loc="lower right")
    how = "exactly" if math.isfinite(here) else "to second order"
    verdict = "enough" if value <= bound else "not enough"
    first = "never" if needed[1] is None else count(needed[1])
    return Drawing(
        figure,
        f"n = {count(n)} is {verdict} for p = {p}: the risk is {short(value)} nats {how}, {short(series.risk(n, 1))} "
        f"to first and {short(series.risk(n, 2))} to second order. Up to {short(bound)} nats no test on one "
        f"observation tells the estimate from the truth with an error rate below {0.5 - alpha:g}. That takes n = "
        f"{count(enough)}; the first order says {first}.{_given(family, size, n)}",
    )


def _named(family: str, size: int) -> str:
    return f"normal, d = {size}" if family == FAMILIES[0] else f"multinomial, k = {size}"


def _given(family: str, size: int, n: int) -> str:
    """Return a sentence on samples without an estimate, where they are not rare."""
    if family == FAMILIES[0] or n > _LARGEST:
        return ""
    lost = _found(family, size, n)[1]
    if lost < 1e-3:
        return ""
    return f" In {percent(lost)} of the samples a cell is empty and no estimate exists; the risk is that of the rest."


@lru_cache(maxsize=64)
def _model(family: str, size: int) -> Model:
    from asymptopia.theory.projection.expansion import kl_risk_expansion
    from asymptopia.theory.projection.families import Multinomial, MultivariateNormal

    made: Any
    if family == FAMILIES[0]:
        made = MultivariateNormal(size)
        theta = made.natural(np.zeros(size), np.eye(size))
    else:
        made = Multinomial(size)
        theta = made.natural(np.full(size, 1.0 / size))
    return Model(made, theta, kl_risk_expansion(made, theta))


@lru_cache(maxsize=4096)
def _found(family: str, size: int, n: int) -> tuple[float, float]:
    """Return the exact risk and the probability that no estimate exists."""
    from asymptopia.theory.projection.exact_risk import kl_risk_exact

    model = _model(family, size)
    found = kl_risk_exact(model.family, model.theta, n)
    return float(found.value), float(found.prob_no_mle)


def _risk(family: str, size: int, n: int) -> float:
    """Return the exact risk; NaN where there is none, nearly no sample has an estimate, or it takes too long."""
    if family != FAMILIES[0] and n > _LARGEST:
        return math.nan
    value, lost = _found(family, size, n)
    return value if 0.0 < value < math.inf and lost < 0.999 else math.nan


@lru_cache(maxsize=64)
def _curve(family: str, size: int) -> tuple[Array, Array]:
    """Return sizes and exact risks."""
    normal = family == FAMILIES[0]
    top, many = (1e5, 61) if normal else (_LARGEST, 13)
    sizes = np.unique(np.geomspace(size + 1, top, many).round())
    risks = np.array([_risk(family, size, int(n)) for n in sizes])
    return sizes, risks


def _required(family: str, size: int, bound: float, near: int | None) -> int:
    """Return the least n from which the exact risk is at most `bound`, of the second order where that is large."""
    if near is None or (family != FAMILIES[0] and 1.2 * near > _LARGEST):
        return near or 1
    low, high = max(1, math.floor(0.8 * near)), math.ceil(1.3 * near) + size
    while high - low > 1:
        middle = (low + high) // 2
        if _risk(family, size, middle) <= bound:
            high = middle
        else:
            low = middle
    return high


TAB = Tab(
    "n against p",
    "Is n enough for p parameters?",
    (
        Control("family", "family", FAMILIES, FAMILIES[0]),
        Control("size", "d or k", (2, 3, 4, 5, 6, 8, 10, 12, 15, 20, 25, 30), 5),
        Control("n", "sample size n", (*powers(1, 5, (1, 2, 3, 5, 7)),), 200),
        Control("alpha", "loss of error rate α", (0.01, 0.02, 0.05, 0.1, 0.15, 0.2), 0.05),
    ),
    draw,
)

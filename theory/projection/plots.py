"""Figures of the risk of maximum likelihood estimates. Each takes a result and an Axes, draws into it, returns it."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from asymptopia.theory._core.result import format_number
from asymptopia.theory._core.validation import Array, fail, numeric, real
from asymptopia.theory.projection.bayes import bayes_error_bounds, kl_threshold

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.axis import Axis

    from asymptopia.theory.projection.criterion_result import PNCriterion
    from asymptopia.theory.projection.exact_result import ExactRisk
    from asymptopia.theory.projection.risk_result import RiskExpansion

__all__ = ["plot_bayes_error", "plot_criterion", "plot_risk"]

INK, ACCENT, SOFT, NOISE, STEADY = "#1f3a5f", "#c8553d", "#8fa8c4", "#b9b9b9", "#3f8f6b"
ALPHA = 0.05
"""Loss of Bayes error whose sharp threshold is drawn where none is given."""

_POINTS = 161
_SMALL = 0.3
_BOUNDS = {"sharp": ("-", INK), "pinsker": ("--", ACCENT), "local": (":", STEADY)}


def axes_of(ax: Axes | None) -> Axes:
    """Return the Axes, or new ones."""
    if ax is not None:
        return ax
    import matplotlib.pyplot as plt

    return plt.subplots(layout="constrained")[1]


def legend(ax: Axes, **options: Any) -> None:
    """Add a legend that covers little."""
    ax.legend(fontsize="small", framealpha=0.85, edgecolor="none", **options)


def plain_ticks(axis: Axis) -> None:
    """Write the ticks of a logarithmic axis as plain numbers, unless it spans many decades."""
    from matplotlib.ticker import LogLocator, NullFormatter, StrMethodFormatter

    low, high = axis.get_view_interval()
    if high > 1e6 * low:
        return
    few, many = (1.0, 2.0, 5.0), (1.0, 1.5, 2.0, 3.0, 5.0, 7.0)
    axis.set_major_locator(LogLocator(subs=(1.0,) if high > 1000.0 * low else few if high > 10.0 * low else many))
    axis.set_major_formatter(StrMethodFormatter("{x:g}"))
    axis.set_minor_formatter(NullFormatter())


def plot_risk(
    result: RiskExpansion,
    ax: Axes | None = None,
    *,
    n: ArrayLike | None = None,
    threshold: float | None = None,
    exact: ExactRisk | None = None,
) -> Axes:
    """Draw the series of the risk against n, the threshold and the n that it requires; return the Axes.

    Parameters
    ----------
    result : RiskExpansion
        Its terms are drawn to first, second and, where it is known, third order.
    ax : Axes, optional
        Where to draw; created if None.
    n : array_like, optional
        Range of the sizes, its least and largest value; by default one around the required n.
    threshold : float, optional
        Largest divergence that is accepted, nats; by default the sharp one of a Bayes error within 0.05 of 1/2.
    exact : ExactRisk, optional
        Exact risks of the same family and truth, drawn as points.
    """
    if result.p == 0:
        raise fail("result.p", 0, "at least 1: a model without parameters has no risk to draw")
    ax = axes_of(ax)
    bar = float(kl_threshold(ALPHA)) if threshold is None else real("threshold", threshold, 0.0, closed="neither")
    order = 3 if result.c3 is not None else 2
    required = result.required_n(bar, order)
    at = _sizes(_span(n, exact, required, result.p))
    coefficients = (result.c1, result.c2, result.c3 or 0.0)
    terms = [c * at**-k for k, c in enumerate(coefficients[:order], 1)]
    drawn = np.cumsum(terms, axis=0)
    _small_region(ax, result.c1, result.c2, at)
    if not result.well_specified:
        ax.plot(at, 0.5 * result.p / at, color="dimgray", ls=":", lw=1.3, label="p/(2n), if the model held")
    styles = (("--", SOFT, 1.6), ("-", INK, 2.0), ("-.", STEADY, 1.6))
    names = ("first order" if result.well_specified else "first order, t₀/(2n)", "second order", "third order")
    for values, (style, colour, width), label in zip(drawn, styles, names, strict=False):
        ax.plot(at, _positive(values), color=colour, ls=style, lw=width, label=label)
    held = drawn[drawn > 0.0].tolist()
    if exact is not None:
        sizes, values = (np.ravel(np.asarray(item, dtype=float)) for item in (exact.n, exact.value))
        seen = np.isfinite(values) & (sizes >= at[0]) & (sizes <= at[-1])
        ax.plot(sizes[seen], values[seen], "o", ms=4.5, color="black", mfc="white", mew=1.2, ls="", label="exact")
        held += values[seen & (values > 0.0)].tolist()
    _threshold(ax, bar, at, required, f"order {order}")
    _finish(ax, at, [*held, bar])
    truth = "truth in the model" if result.well_specified else "truth outside the model"
    ax.set_title(f"{result.family}, p = {result.p}, {truth}", fontsize="medium")
    return ax


def plot_criterion(result: PNCriterion, ax: Axes | None = None) -> Axes:
    """Draw the estimated risk against n with the threshold, the size of the data and that required; return the Axes.

    Parameters
    ----------
    result : PNCriterion
        Its risk, t0/(2n) and p/(2n) are marked at the size of the data; the bootstrap interval where there is one.
    ax : Axes, optional
        Where to draw; created if None.
    """
    if result.p == 0:
        raise fail("result.p", 0, "at least 1: a model without parameters has no risk to draw")
    ax = axes_of(ax)
    size = float(result.n)
    marks = [size] if result.required_n is None else [size, float(result.required_n)]
    at = _sizes((max(1.0, min(marks) / 5.0), 4.0 * max(marks)))
    if result.order > 1:
        _small_region(ax, result.c1, result.c2, at)
    ax.plot(at, result.naive * size / at, color="dimgray", ls=":", lw=1.3, label="p/(2n), if the model held")
    ax.plot(at, result.first * size / at, color=SOFT, ls="--", lw=1.6, label="first order, t₀/(2n)")
    values = result.c1 / at + result.c2 / at**2
    if result.order > 1:
        kind = "bias taken off" if result.bias_correct else "plug-in"
        ax.plot(at, _positive(values), color=INK, lw=2.0, label=f"second order, {kind}")
    held = [*values[values > 0.0].tolist(), *(result.naive * size / at)]
    # 0 where all observations are the same
    held += (result.first * size / at).tolist() if result.first > 0.0 else []
    if result.bootstrap is not None:
        low, high = result.bootstrap.risk_interval
        held += [bound for bound in (low, high) if bound > 0.0]
        label = f"{result.bootstrap.level:.0%} interval by bootstrap"
        ax.plot([size, size], _positive(np.array([low, high])), "_-", color="black", ms=9, lw=1.4, label=label)
    marked = (
        ("s", "white", result.naive, "p/(2n)"),
        ("^", "white", result.first, "t₀/(2n)"),
        ("o", "black", result.risk, "risk"),
    )
    for shape, fill, value, label in marked:
        if value > 0.0:
            name = f"these data, {label} = {format_number(value, 3)}"
            ax.plot([size], [value], shape, ms=6.5, color="black", mfc=fill, mew=1.3, ls="", label=name, zorder=4)
    _threshold(ax, result.threshold, at, result.required_n, "")
    _finish(ax, at, [*held, result.threshold])
    ax.set_title(verdict(result), fontsize="medium")
    return ax


def verdict(result: PNCriterion) -> str:
    """Return the verdict in a line for a title."""
    head = f"{result.family}, n = {result.n}, p = {result.p}: "
    if not result.decided:
        why = "the series is negative" if result.risk < 0.0 else "all observations are the same"
        return f"{head}no verdict, {why}"
    return f"{head}{'enough' if result.passed else 'not enough'}"


def plot_bayes_error(result: PNCriterion, ax: Axes | None = None) -> Axes:
    """Draw the least Bayes error rate against the divergence, and where the criterion is; return the Axes.

    Parameters
    ----------
    result : PNCriterion
        Its risk, its threshold and `alpha` are marked.
    ax : Axes, optional
        Where to draw; created if None.

    Notes
    -----
    The rate is that of telling the projection from the estimate by one observation, at equal priors. Sharp and
    Pinsker's are bounds; the local one is a leading order for nearby laws of normal scores.
    """
    ax = axes_of(ax)
    marks = [value for value in (result.risk, result.threshold) if value > 0.0]
    kl = np.geomspace(min(marks) / 100.0, min(max(marks) * 10.0, 2.0), _POINTS)
    for name, (style, colour) in _BOUNDS.items():
        least = np.asarray(bayes_error_bounds(kl, method=name).low)
        label = {"sharp": "sharp bound", "pinsker": "Pinsker's bound", "local": "local, leading order"}[name]
        ax.plot(kl, least, color=colour, ls=style, lw=1.8, label=label)
    ax.axhline(0.5 - result.alpha, color="dimgray", lw=1.0, ls=":", label=f"1/2 - alpha = {0.5 - result.alpha:g}")
    label = f"threshold {format_number(result.threshold, 4)} ({result.bound})"
    ax.axvline(result.threshold, color=ACCENT, lw=1.3, label=label)
    if result.risk > 0.0:
        low = float(bayes_error_bounds(result.risk, method=result.bound).low)
        label = f"these data: risk {format_number(result.risk, 3)},\nrate at least {low:.3f}"
        ax.plot([result.risk], [low], "o", ms=7, color="black", ls="", label=label, zorder=4)
    ax.set_xscale("log")
    ax.set_xlim(float(kl[0]), float(kl[-1]))
    plain_ticks(ax.xaxis)
    ax.set_xlabel("KL(projection || estimate) (nats)")
    ax.set_ylim(0.0, 0.5)
    ax.set_ylabel("Bayes error rate, at least")
    ax.set_title("telling the projection from the estimate by one observation", fontsize="medium")
    legend(ax, loc="lower left")
    return ax


def _span(n: ArrayLike | None, exact: ExactRisk | None, required: int | None, p: int) -> tuple[float, float]:
    """Return the ends of the axis of sizes."""
    if n is not None:
        given = numeric("n", n)
        if given.size < 2 or not 1.0 <= given.min() < given.max():
            raise fail("n", given.tolist(), "at least two different sizes, none below 1")
        return float(given.min()), float(given.max())
    middle = float(required) if required is not None else 25.0 * p
    low, high = max(1.0, middle / 25.0), 4.0 * middle
    if exact is not None and np.size(exact.n) > 1:
        low, high = min(low, float(np.min(exact.n))), max(high, float(np.max(exact.n)))
    return low, high


def _sizes(span: tuple[float, float]) -> Array:
    return np.geomspace(span[0], max(span[1], 2.0 * span[0]), _POINTS)


def _positive(values: Array) -> Array:
    """Return the values with a gap where a logarithmic axis has no place for them."""
    return np.where(values > 0.0, values, np.nan)


def _small_region(ax: Axes, c1: float, c2: float, at: Array) -> None:
    """Shade the sizes at which the second term exceeds 0.3 of the first."""
    edge = abs(c2) / (_SMALL * abs(c1)) if c1 else math.inf
    if edge > at[0]:
        ax.axvspan(
            float(at[0]), min(edge, float(at[-1])), color=NOISE, alpha=0.3, lw=0, label="second term > 0.3 first"
        )


def _threshold(ax: Axes, bar: float, at: Array, required: int | None, order: str) -> None:
    ax.axhline(bar, color=ACCENT, lw=1.3, label=f"threshold {format_number(bar, 4)}")
    if required is not None and at[0] <= required <= at[-1]:
        name = f"required n = {required}{f', {order}' if order else ''}"
        ax.plot([required], [bar], "D", ms=7, color=ACCENT, mec="white", mew=1.0, ls="", label=name, zorder=5)
        ax.axvline(required, color=ACCENT, lw=1.0, ls=(0, (1, 2)))


def _finish(ax: Axes, at: Array, held: list[float]) -> None:
    ax.set_xscale("log")
    ax.set_yscale("log")
    ax.set_xlim(float(at[0]), float(at[-1]))
    ax.set_ylim(0.7 * min(held), 1.4 * max(held))
    plain_ticks(ax.xaxis)
    plain_ticks(ax.yaxis)
    ax.set_xlabel("sample size n")
    ax.set_ylabel("risk E KL (nats)")
    # the curves fall
    legend(ax, loc="upper right")

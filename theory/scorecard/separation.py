"""Area under the ROC curve and Kolmogorov-Smirnov distance of counts, and their normal-score counterparts."""

from __future__ import annotations

import math
from itertools import accumulate
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from asymptopia.theory._core.validation import numeric
from asymptopia.theory.scorecard.intervals import ConfidenceInterval
from asymptopia.theory.scorecard.shares import Array


class Area(NamedTuple):
    """Area under the ROC curve, twice it less 1, and the standard error of DeLong."""

    value: float
    gini: float
    se: float


class Distance(NamedTuple):
    """Largest distance of the two distributions, the bins below its cut, its standard error, and whether it leads."""

    value: float
    cut: int
    se: float
    settled: bool


def grouped(counts: Array, groups: NDArray[np.int64]) -> list[int]:
    """Return the counts by group as Python integers, whose sums and products are exact."""
    return [int(total) for total in np.bincount(groups, weights=counts)]


def area_of(goods: list[int], bads: list[int]) -> Area:
    """Return the area from counts in ascending order of risk; value and Gini are rounded once."""
    n, m = sum(goods), sum(bads)
    below = [0, *accumulate(goods)]
    twice = sum(b * (2 * low + g) for b, low, g in zip(bads, below, goods, strict=False))
    value, gini = twice / (2 * n * m), (twice - n * m) / (n * m)
    if len(goods) == 1 or min(n, m) == 1:
        return Area(value, gini, math.nan)
    p, q = np.array(goods) / n, np.array(bads) / m
    u = np.cumsum(p) - p / 2
    w = 1 - (np.cumsum(q) - q / 2)
    variance = float((q * (u - value) ** 2).sum()) / (m - 1) + float((p * (w - value) ** 2).sum()) / (n - 1)
    return Area(value, gini, 0.0 if gini in {-1.0, 1.0} else math.sqrt(variance))


def distance_of(goods: list[int], bads: list[int]) -> Distance:
    """Return the Kolmogorov-Smirnov distance from counts in ascending order of risk; its value is rounded once."""
    n, m = sum(goods), sum(bads)
    gaps = [f * m - g * n for f, g in zip(accumulate(goods), accumulate(bads), strict=True)]
    cut = max(range(len(gaps)), key=lambda k: abs(gaps[k]))
    largest = abs(gaps[cut])
    if largest == 0:
        return Distance(0.0, 0, math.nan, settled=False)
    f, g = np.cumsum(goods) / n, np.cumsum(bads) / m
    se = math.sqrt(f[cut] * (1 - f[cut]) / n + g[cut] * (1 - g[cut]) / m)
    distance = f - g if gaps[cut] > 0 else g - f
    # the lead over another cut is a difference of the shares between the two
    between_f, between_g = np.abs(f - f[cut]), np.abs(g - g[cut])
    noise = np.sqrt(between_f * (1 - between_f) / n + between_g * (1 - between_g) / m)
    # at a cut of the other sign the distance can only be compared in size: the errors add at most
    alone = np.sqrt(f * (1 - f) / n + g * (1 - g) / m)
    close = distance[cut] - np.abs(distance) <= 2 * np.where(distance < 0, se + alone, noise)
    close[cut] = False
    # the last cut has distance 0 and leaves nothing above
    return Distance(largest / (n * m), cut + 1, se, settled=not bool(close[:-1].any()))


def logit_interval(value: float, se: float, alpha: float) -> ConfidenceInterval:
    """Return the interval that is normal for the logit of `value`; NaN where that is infinite."""
    from scipy.special import expit, ndtri

    if math.isnan(se) or not 0 < value < 1:
        return ConfidenceInterval(math.nan, math.nan)
    centre, reach = math.log(value) - math.log1p(-value), -float(ndtri(alpha / 2)) * se / (value * (1 - value))
    return ConfidenceInterval(float(expit(centre - reach)), float(expit(centre + reach)))


def auc_from_divergence(divergence: ArrayLike) -> Any:
    r"""Return the AUC of two normal scores of equal variance with this Jeffreys divergence.

    Parameters
    ----------
    divergence : array_like
        Jeffreys divergence (information value) in nats, >= 0.

    Returns
    -------
    float or ndarray
        :math:`\Phi(\sqrt{J/2})`, since :math:`J = d^2` for means d standard deviations apart.

    Raises
    ------
    ValueError
        If a divergence is negative.

    Examples
    --------
    >>> round(auc_from_divergence(0.2267), 4)
    0.6318
    """
    from scipy.special import ndtr

    j = numeric("divergence", divergence)
    if (j < 0).any():
        message = f"divergence is {float(j.min())!r}; expected numbers >= 0"
        raise ValueError(message)
    return _plain(ndtr(np.sqrt(j / 2)))


def divergence_from_auc(auc: ArrayLike) -> Any:
    r"""Return the Jeffreys divergence, in nats, of two normal scores of equal variance with this AUC.

    Parameters
    ----------
    auc : array_like
        From 1/2 to 1. For a score that points the wrong way give ``1 - auc``.

    Returns
    -------
    float or ndarray
        :math:`2 \{\Phi^{-1}(A)\}^2`; inf for 1.

    Raises
    ------
    ValueError
        If a value is outside.

    Examples
    --------
    >>> round(divergence_from_auc(0.75), 6)
    0.909873
    """
    from scipy.special import ndtri

    area = numeric("auc", auc)
    if ((area < 0.5) | (area > 1)).any():
        wrong = area[(area < 0.5) | (area > 1)]
        message = f"auc is {float(wrong.flat[0])!r}; expected numbers from 0.5 to 1"
        raise ValueError(message)
    return _plain(2 * ndtri(area) ** 2)


def _plain(value: Any) -> Any:
    return float(value) if np.ndim(value) == 0 else value

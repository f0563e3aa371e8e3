"""The exact law of an estimated divergence, by enumeration of all samples."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from asymptopia.theory._core.result import Result, format_number
from asymptopia.theory._core.validation import fail, integer, numeric, same_shape
from asymptopia.theory.scorecard.generators import Generator, generator_of
from asymptopia.theory.scorecard.shares import Shares, against_fixed, check_smoothing, two_samples
from asymptopia.theory.scorecard.status import ScorecardStatus

Array = NDArray[np.float64]
MOST_PAIRS = 5_000_000
"""Pairs of samples up to which the law is computed."""
_SAME = 1e-12
_SUM_TOLERANCE = 1e-9


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ExactLaw(Result):
    """The law of an estimated divergence at given sizes.

    Attributes
    ----------
    kind : str
        The divergence, see `divergence`.
    alpha : float or None
        Order of kind "alpha".
    n, m : int, int or float
        Sizes; m is inf for a known baseline.
    smoothing : float
        Pseudo-count of the estimator.
    values, probabilities : ndarray
        Values in ascending order, in nats, and their probabilities; values within 1e-12 of one another are merged.
    mean, sd : float
        Mean and standard deviation; inf and NaN where the value inf has a positive probability.
    """

    title: ClassVar[str] = "Exact law of a divergence"

    kind: str
    alpha: float | None
    n: int
    m: float
    smoothing: float
    values: Array
    probabilities: Array
    mean: float
    sd: float

    def __post_init__(self) -> None:
        self.values.setflags(write=False)
        self.probabilities.setflags(write=False)

    def sf(self, t: ArrayLike) -> Any:
        """Return the probability of a value above `t`."""
        below, above = self._sums(t)
        return _plain(np.where(above <= below, above, 1 - below))

    def cdf(self, t: ArrayLike) -> Any:
        """Return the probability of a value of at most `t`."""
        below, above = self._sums(t)
        return _plain(np.where(below <= above, below, 1 - above))

    def _sums(self, t: ArrayLike) -> tuple[Array, Array]:
        """Return the probabilities up to `t` and beyond, each summed from its own end."""
        at = np.searchsorted(self.values, numeric("t", t), side="right")
        heads = np.concatenate([[0.0], np.cumsum(self.probabilities)])
        tails = np.concatenate([np.cumsum(self.probabilities[::-1])[::-1], [0.0]])
        return heads[at], tails[at]

    def _lines(self) -> Iterator[tuple[str, str]]:
        yield "kind", self.kind if self.alpha is None else f"{self.kind} {format_number(self.alpha)}"
        yield "sizes", f"{self.n} and {format_number(self.m, 16)}"
        yield "pseudo-count", format_number(self.smoothing)
        yield "mean", format_number(self.mean)
        yield "standard deviation", format_number(self.sd)
        yield "values", str(self.values.size)

    def _columns(self) -> dict[str, Any]:
        return {"value": self.values, "probability": self.probabilities}


def exact_law(
    p: ArrayLike,
    q: ArrayLike,
    n: int,
    m: float,
    *,
    kind: str = "jeffreys",
    alpha: float | None = None,
    smoothing: float = 0.5,
) -> ExactLaw:
    r"""Return the exact law of a divergence estimated from two multinomial samples.

    Parameters
    ----------
    p, q : array_like, shape (B,)
        True shares, all > 0, with sum 1 within 1e-9.
    n : int
        Size of the first sample, at least 1.
    m : int or inf
        Size of the second sample; inf for a known baseline, which is not smoothed.
    kind, alpha
        As in `divergence`.
    smoothing : float
        Added to each of the B counts of a random sample, empty bins included. With 0 the value can be inf.

    Returns
    -------
    ExactLaw

    Raises
    ------
    TypeError, ValueError
        If a share is not > 0, the sums differ from 1, the shapes differ, a size is below 1, the kind is unknown, or
        there are more than 5e6 pairs of samples.

    Notes
    -----
    A sample of size n in B bins has :math:`\binom{n+B-1}{B-1}` outcomes. Every pair of outcomes is visited; a bin's
    term is read from a table of (n + 1)(m + 1) entries.

    References
    ----------
    .. [1] T. R. C. Read, N. A. C. Cressie, "Goodness-of-Fit Statistics for Discrete Multivariate Data", Springer,
       1988, chapter 5 (exact laws by enumeration).

    Examples
    --------
    >>> law = exact_law([0.5, 0.3, 0.2], [0.4, 0.4, 0.2], 6, 5)
    >>> round(law.mean, 10), round(law.sd, 10)
    (0.5412894545, 0.529173474)
    >>> round(law.sf(5.991464547107979 * 11 / 30), 10)
    0.0157663936
    """
    p, q = _shares("p", p), _shares("q", q)
    same_shape("p", p, "q", q)
    n = integer("n", n, 1)
    known = m == math.inf
    if not known:
        m = integer("m", m, 1)
    generator, a = generator_of(kind, alpha), check_smoothing(smoothing)
    bins = p.size
    pairs = math.comb(n + bins - 1, bins - 1) * (1 if known else math.comb(int(m) + bins - 1, bins - 1))
    if pairs > MOST_PAIRS:
        message = (
            f"{bins} bins with n = {n} and m = {m} have {pairs} pairs of samples; expected at most {MOST_PAIRS}: use "
            "fewer bins or smaller samples, or simulate"
        )
        raise ValueError(message)
    first, weight = _samples(p, n)
    if known:
        second, other = np.zeros((1, bins), dtype=np.int64), np.ones(1)
    else:
        second, other = _samples(q, int(m))
    values = np.zeros((first.shape[0], second.shape[0]))
    for i in range(bins):
        table = _known_terms(generator, n, bins, q[i], a) if known else _terms(generator, n, int(m), bins, a)
        values += table[first[:, i][:, None], second[:, i][None, :]]
    support, probabilities = _merged(values.ravel(), np.outer(weight, other).ravel())
    mean, sd = _moments(support, probabilities)
    return ExactLaw(
        status=ScorecardStatus.OK,
        kind=kind,
        alpha=generator.alpha,
        n=n,
        m=m,
        smoothing=a,
        values=support,
        probabilities=probabilities,
        mean=mean,
        sd=sd,
    )


def _plain(value: Array) -> Any:
    return float(value) if value.ndim == 0 else value


def _shares(name: str, value: ArrayLike) -> Array:
    array = numeric(name, value, min_ndim=1)
    if array.ndim != 1 or not (array > 0).all():
        raise fail(name, array.tolist(), "a vector of shares > 0: leave out bins that cannot occur")
    total = math.fsum(array)
    if abs(total - 1) > _SUM_TOLERANCE:
        raise fail(f"{name}.sum()", total, f"1 within {_SUM_TOLERANCE:g}")
    return np.asarray(array / total)


def _samples(shares: Array, size: int) -> tuple[NDArray[np.int64], Array]:
    """Return all samples of `size` and their probabilities."""
    from scipy.special import gammaln

    found = np.zeros((1, 0), dtype=np.int64)
    left = np.array([size], dtype=np.int64)
    for _ in range(shares.size - 1):
        repeat = np.repeat(np.arange(left.size), left + 1)
        start = np.repeat(np.cumsum(left + 1) - (left + 1), left + 1)
        count = np.arange(repeat.size) - start
        found = np.column_stack([found[repeat], count])
        left = left[repeat] - count
    found = np.column_stack([found, left])
    log = (found * np.log(shares) - gammaln(found + 1.0)).sum(axis=1)
    # the normalisation takes the constant and its rounding along
    weight = np.exp(log - log.max())
    return found, weight / weight.sum()


def _terms(generator: Generator, n: int, m: int, bins: int, a: float) -> Array:
    """Return the term of a bin with k and l observations, shape (n + 1, m + 1)."""
    k, other = np.arange(n + 1.0)[:, None, None], np.arange(m + 1.0)[None, :, None]
    # a second column holds what is left of the sample
    rest = a * (bins - 1)
    x, y = np.concatenate([k + a, n - k + rest], axis=-1), np.concatenate([other + a, m - other + rest], axis=-1)
    shares = two_samples(np.broadcast_to(x, (n + 1, m + 1, 2)), np.broadcast_to(y, (n + 1, m + 1, 2)), 0.0)
    return generator.terms(Shares(*(part[..., 0] for part in shares)))


def _known_terms(generator: Generator, n: int, bins: int, q: float, a: float) -> Array:
    """Return the term of a bin with k observations beside its known share, shape (n + 1, 1)."""
    k = np.arange(n + 1.0)[:, None]
    x = np.concatenate([k + a, n - k + a * (bins - 1)], axis=-1)
    shares = against_fixed(x, np.array([q, 1 - q]), 0.0)
    return generator.terms(Shares(*(part[..., :1] for part in shares)))


def _merged(values: Array, probabilities: Array) -> tuple[Array, Array]:
    order = np.argsort(values, kind="stable")
    values, probabilities = values[order], probabilities[order]
    with np.errstate(invalid="ignore"):
        new = np.diff(values) > _SAME * np.maximum(values[:-1], 1e-300)
    starts = np.concatenate([[0], np.flatnonzero(new) + 1])
    return values[starts], np.add.reduceat(probabilities, starts)


def _moments(values: Array, probabilities: Array) -> tuple[float, float]:
    if math.isinf(values[-1]):
        return math.inf, math.nan
    mean = float(values @ probabilities)
    return mean, math.sqrt(float(probabilities @ (values - mean) ** 2))

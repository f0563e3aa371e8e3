"""One column of the WoE encoder: its cells, their Weight of Evidence and the way from values to cells."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from itertools import repeat
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from asymptopia.theory._core.result import Result, format_number
from asymptopia.theory._core.special import log_ratio
from asymptopia.theory._core.validation import EXACT_INTEGERS
from asymptopia.theory.scorecard.binning.optimal import optimal_bins
from asymptopia.theory.scorecard.binning.prebins import Prebins, prebin
from asymptopia.theory.scorecard.binning.status import BinningStatus
from asymptopia.theory.scorecard.results import IVResult
from asymptopia.theory.scorecard.sampling import IndependentSamples
from asymptopia.theory.scorecard.shares import Array
from asymptopia.theory.scorecard.status import ScorecardStatus

Codes = NDArray[np.intp]
MISSING = "missing"
_ROUNDING = 1e-12
_QUANTUM = 2.0**50


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class EncodedColumn(Result):
    """Weight of Evidence of the cells of one column.

    Attributes
    ----------
    name : str
        Name of the column.
    edges : ndarray or None
        Largest value of each bin but the last; None for a column of categories.
    levels : tuple
        The categories, each a cell; empty for a numeric column.
    labels : tuple of str
        Name of each cell; the last one is "missing" if `missing` is True.
    missing : bool
        True if missing values were seen: they are the last cell.
    good, bad : ndarray
        Rows of each cell, or the sums of their weights.
    woe, woe_se : ndarray
        Smoothed Weight of Evidence and its standard error, in which a weight w stands for w rows.
    iv : float
        Information value of the cells, of the same smoothed shares, in nats.
    sign, smoothing : str, float
        As given to the encoder.
    """

    title: ClassVar[str] = "Encoded column"
    plotter: ClassVar[str] = "asymptopia.theory.scorecard.plots:plot_woe"

    name: str
    edges: Array | None
    levels: tuple[Any, ...]
    labels: tuple[str, ...]
    missing: bool
    good: Array
    bad: Array
    woe: Array
    woe_se: Array
    iv: float
    sign: str
    smoothing: float

    def __post_init__(self) -> None:
        for item in fields(self):
            value = getattr(self, item.name)
            if isinstance(value, np.ndarray):
                value.setflags(write=False)

    @property
    def numeric(self) -> bool:
        """True if the cells are intervals."""
        return self.edges is not None

    @property
    def bins(self) -> int:
        """Number of cells, that of missing values included."""
        return int(self.good.size)

    def information_value(self) -> IVResult:
        """Return the inference for the information value of the cells, which it takes for given beforehand.

        Raises
        ------
        ValueError
            If the counts are weighted and not whole numbers.
        """
        from asymptopia.theory.scorecard.inference import information_value

        return information_value(self.good, self.bad, smoothing=self.smoothing)

    def codes(self, values: NDArray[Any] | Sequence[Any]) -> Codes:
        """Return the cell of each value, -1 for a level, or missing values, that no row had in the fit."""
        absent = self.bins - 1 if self.missing else -1
        if self.edges is not None:
            numbers = np.asarray(values)
            found: Codes = np.searchsorted(self.edges, numbers, side="left")
            if self.bins == self.missing:
                # the fit saw no number
                found[:] = -1
            found[np.isnan(numbers)] = absent
            return found
        position = {level: i for i, level in enumerate(self.levels)}
        position[None] = absent
        return np.fromiter(map(position.get, values, repeat(-1)), dtype=np.intp, count=len(values))

    def _lines(self) -> Iterator[tuple[str, str]]:
        yield "column", self.name
        yield "information value", format_number(self.iv)
        yield "sign", self.sign
        for label, woe, se in zip(self.labels, self.woe, self.woe_se, strict=True):
            yield label, f"{format_number(float(woe), 4)}  SE {format_number(float(se), 3)}"

    def _columns(self) -> Mapping[str, Any]:
        return {
            "cell": np.arange(self.bins),
            "label": list(self.labels),
            "good": self.good,
            "bad": self.bad,
            "woe": self.woe,
            "woe_se": self.woe_se,
        }


def encode_column(
    name: str,
    values: NDArray[Any] | Sequence[Any],
    bad: NDArray[np.bool_],
    weights: Array | None,
    *,
    numeric: bool,
    max_bins: int | None,
    max_prebins: int,
    trend: str | None,
    min_share: float,
    smoothing: float,
    sign: str,
) -> EncodedColumn:
    """Return the cells of one column with their Weight of Evidence.

    Parameters
    ----------
    values : ndarray or sequence
        Float64 with NaN where missing if `numeric`, else hashable levels with None where missing.
    bad : ndarray of bool
        Outcome of each row.
    weights : ndarray, optional
        Weight of each row, > 0.

    Raises
    ------
    ValueError
        If `smoothing` is 0 and a cell holds one outcome only.
    """
    edges: Array | None = None
    levels: tuple[Any, ...] = ()
    if numeric:
        edges, labels = _edges(np.asarray(values), bad, weights, max_bins, max_prebins, trend, min_share)
        found = np.searchsorted(edges, values, side="left")
        gone = np.isnan(np.asarray(values))
        if gone.all():
            labels = ()
    else:
        levels = tuple(sorted(set(values) - {None}, key=lambda level: (type(level).__name__, level)))
        labels = tuple(map(str, levels))
        position = {level: i for i, level in enumerate(levels)}
        found = np.fromiter(map(position.get, values, repeat(-1)), dtype=np.intp, count=len(values))
        gone = found < 0
    found[gone] = len(labels)
    missing = bool(gone.any())
    labels = (*labels, MISSING) if missing else labels
    total = np.bincount(found, weights=weights, minlength=len(labels)).astype(np.float64)
    # a sum of its own, not a difference: the weights of the goods must not come out as rounding errors
    first, second = (
        np.bincount(found[rows], weights=None if weights is None else weights[rows], minlength=len(labels))
        for rows in (~bad, bad)
    )
    goods, bads = first.astype(np.float64), second.astype(np.float64)
    pure = (goods == 0) | (bads == 0)
    if smoothing == 0 and len(labels) > 1 and pure.any():
        held = "bads" if bads[pure][0] else "goods"
        message = (
            f"column {name!r}: cell {labels[int(np.argmax(pure))]!r} holds {held} only, so its Weight of Evidence is "
            "infinite; expected smoothing > 0"
        )
        raise ValueError(message)
    samples = IndependentSamples(goods, bads)
    shares = samples.shares(smoothing)
    woe = log_ratio(*shares)
    expected = total / total.sum() * min(samples.n, samples.m)
    return EncodedColumn(
        status=ScorecardStatus.ONE_BIN
        if len(labels) == 1
        else ScorecardStatus.SPARSE
        if float(expected.min()) < 1
        else ScorecardStatus.OK,
        name=name,
        edges=edges,
        levels=levels,
        labels=labels,
        missing=missing,
        good=goods,
        bad=bads,
        woe=woe if sign == "good/bad" else -woe,
        woe_se=np.sqrt(samples.woe_variance(smoothing)),
        iv=float((shares.d * woe).sum()),
        sign=sign,
        smoothing=smoothing,
    )


def _edges(
    values: Array,
    bad: NDArray[np.bool_],
    weights: Array | None,
    max_bins: int | None,
    max_prebins: int,
    trend: str | None,
    min_share: float,
) -> tuple[Array, tuple[str, ...]]:
    """Return the edges of the optimal bins and a name for each bin."""
    gone = np.isnan(values)
    sides = values[~gone & ~bad], values[~gone & bad]
    if not (sides[0].size and sides[1].size):
        # all numbers have one outcome: no cut can separate anything
        return np.empty(0), ("all",)
    prebins = (
        prebin(values, bad, max_prebins=max_prebins)
        if weights is None
        else _weighted(values, bad, weights, max_prebins)
    )
    found = optimal_bins(prebins, max_bins=max_bins, trend=trend, min_share=min_share)
    edges = np.empty(0) if found.edges is None else found.edges
    names = found.labels()
    return edges, names[:-1] if found.missing else names


def _weighted(values: Array, bad: NDArray[np.bool_], weights: Array, max_prebins: int) -> Prebins:
    """Return the prebins of rows that count as often as their weights say; whole weights are repeated rows."""
    gone = np.isnan(values)
    order = np.flatnonzero(~gone)[np.argsort(values[~gone], kind="stable")]
    ordered, running = values[order], np.cumsum(weights[order])
    size = float(running[-1])
    goals = size * np.arange(1, max_prebins) / max_prebins * (1 - _ROUNDING)
    # the smallest value up to which the weights reach the goal
    edges = np.unique(ordered[np.minimum(np.searchsorted(running, goals, side="left"), ordered.size - 1)]) + 0.0
    edges = edges[edges < ordered[-1]]
    cells = np.searchsorted(edges, values, side="left")
    cells[gone] = edges.size + 1
    both = [np.bincount(cells[rows], weights=weights[rows], minlength=edges.size + 2) for rows in (~bad, bad)]
    whole = all((part == np.floor(part)).all() for part in both) and both[0].sum() + both[1].sum() <= EXACT_INTEGERS
    # the search compares rates exactly and needs integers: shares keep 50 bits
    scale = 1.0 if whole else 2.0 ** math.floor(math.log2(_QUANTUM / float(both[0].sum() + both[1].sum())))
    goods, bads = (np.rint(part * scale).astype(np.int64) for part in both)
    return Prebins(
        status=BinningStatus.OK if edges.size else BinningStatus.CONSTANT,
        edges=edges,
        good=goods[:-1],
        bad=bads[:-1],
        missing_good=int(goods[-1]),
        missing_bad=int(bads[-1]),
    )

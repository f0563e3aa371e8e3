"""Result of `optimal_bins`."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from itertools import pairwise
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from asymptopia.theory._core.result import Result, format_number
from asymptopia.theory.scorecard.binning.codes import code_values
from asymptopia.theory.scorecard.binning.kernels import KINDS, unit
from asymptopia.theory.scorecard.intervals import ConfidenceInterval
from asymptopia.theory.scorecard.results import IVResult

Array = NDArray[np.float64]
Counts = NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class BinningResult(Result):
    """Bins that maximise a divergence between goods and bads.

    Attributes
    ----------
    splits : ndarray of int64
        Numbers of prebins before each cut: bin 0 holds the prebins 0 to ``splits[0] - 1``.
    table : ndarray of int64, shape (bins, 2)
        Goods and bads of each bin; the last row is the missing values if `missing` is True.
    missing : bool
        True if the table has a row of missing values.
    prebins : int
        Number of prebins that were searched.
    edges : ndarray or None
        Largest value of each bin but the last, if the prebins have edges.
    value : float
        Divergence of the table in nats, the row of missing values included.
    divergence, smoothing : str, float
        As given.
    trend : str or None
        Trend of the event rate that was chosen, ``"ascending"`` or ``"descending"`` for ``trend="auto"``.
    optimal : bool
        True: the search is exhaustive.
    pvalue : float or None
        Permutation p-value of "the feature is independent of the outcome", which counts the search; None unless asked
        for. A test that takes the bins as given is not offered: at a nominal 5 % it rejects 9 to 21 % of noise.
    repeats : int
        Permutations, 0 if none.
    level : float
        Level of `ci`.
    status : BinningStatus
        What limits the result.
    notes : tuple of str
        The sentences of all that apply.
    """

    title: ClassVar[str] = "Optimal bins"
    plotter: ClassVar[str] = "asymptopia.theory.scorecard.binning.plots:plot_bins"

    splits: Counts
    table: Counts
    missing: bool
    prebins: int
    edges: Array | None
    value: float
    divergence: str
    smoothing: float
    trend: str | None
    optimal: bool
    pvalue: float | None
    repeats: int
    level: float
    notes: tuple[str, ...]

    def __post_init__(self) -> None:
        for item in fields(self):
            value = getattr(self, item.name)
            if isinstance(value, np.ndarray):
                value.setflags(write=False)

    @property
    def good(self) -> Counts:
        """Goods of each bin."""
        return self.table[:, 0]

    @property
    def bad(self) -> Counts:
        """Bads of each bin."""
        return self.table[:, 1]

    @property
    def bins(self) -> int:
        """Number of bins, that of missing values included."""
        return len(self.table)

    @property
    def event_rate(self) -> Array:
        """Share of bads in each bin, not smoothed."""
        rate: Array = self.bad / self.table.sum(axis=1)
        return rate

    @property
    def contributions(self) -> Array:
        """Terms of `value`, one a bin; each is at least 0."""
        return contributions(self.table, self.divergence, self.smoothing)

    @property
    def ci(self) -> ConfidenceInterval:
        """Interval of `level` for the divergence of the bins as if they had been given beforehand; see `notes`."""
        if self.divergence == "jeffreys":
            return self.information_value().confidence_interval(self.level)
        from asymptopia.theory.scorecard.fdivergence import divergence

        found = divergence(self.divergence, self.good, self.bad, smoothing=self.smoothing)
        return found.confidence_interval(self.level)

    def information_value(self) -> IVResult:
        """Return the information value of the table; its test and interval take the bins as given beforehand."""
        from asymptopia.theory.scorecard.inference import information_value

        return information_value(self.good, self.bad, smoothing=self.smoothing)

    def code(self, prebins: ArrayLike) -> Counts:
        """Return the bin of each prebin code; a negative code, missing, gives -1, the last row if `missing` is True.

        Raises
        ------
        TypeError
            If the codes are not integers.
        ValueError
            If a code is not that of a prebin.
        """
        codes = np.asarray(prebins)
        if codes.dtype.kind not in "iu":
            message = f"prebins has dtype {codes.dtype}; expected integer codes of prebins, from 0, missing negative"
            raise TypeError(message)
        if codes.size and int(codes.max()) >= self.prebins:
            message = f"prebins holds the code {int(codes.max())}; expected at most {self.prebins - 1}, the last prebin"
            raise ValueError(message)
        found = np.searchsorted(self.splits, codes, side="right")
        return np.where(codes < 0, -1, found).astype(np.int64)

    def apply(self, values: ArrayLike) -> Counts:
        """Return the bin of each value, -1 for NaN: the last row if `missing` is True, else a bin not seen before.

        Raises
        ------
        ValueError
            If the bins were found from counts only, whose edges are not known, or a value is infinite.
        """
        if self.edges is None:
            message = "the bins have no edges, for they were found from counts: call optimal_bins with a Prebins"
            raise ValueError(message)
        return code_values(values, self.edges)

    def labels(self) -> tuple[str, ...]:
        """Return a name for each bin: its interval, or its prebins where the edges are not known."""
        if self.edges is None:
            ends = [0, *self.splits.tolist(), self.prebins]
            names = [f"{a}" if b - a == 1 else f"{a}-{b - 1}" for a, b in pairwise(ends)]
        elif self.edges.size == 0:
            names = ["all"]
        else:
            cuts = [f"{edge:.6g}" for edge in self.edges]
            inner = [f"({a}, {b}]" for a, b in pairwise(cuts)]
            names = [f"<= {cuts[0]}", *inner, f"> {cuts[-1]}"]
        return (*names, "missing") if self.missing else tuple(names)

    def _lines(self) -> Iterator[tuple[str, str]]:
        yield f"divergence ({self.divergence})", format_number(self.value)
        low, high = self.ci
        yield f"{100 * self.level:g} % interval", f"[{format_number(low)}, {format_number(high)}], bins as given"
        if self.pvalue is not None:
            yield "permutation p", f"{format_number(self.pvalue)} ({self.repeats} permutations)"
        yield "trend", "none" if self.trend is None else self.trend
        yield "bins", f"{self.bins} of {self.prebins} prebins" + (", one of missing values" if self.missing else "")
        for name, (good, bad), rate in zip(self.labels(), self.table.tolist(), self.event_rate.tolist(), strict=True):
            yield name, f"{good} good, {bad} bad, event rate {format_number(rate, 4)}"
        for note in self.notes[1:]:
            yield "note", note

    def _columns(self) -> Mapping[str, Any]:
        iv = self.information_value()
        ends = np.array([0, *self.splits.tolist(), self.prebins])
        first, last = ends[:-1], ends[1:] - 1
        if self.missing:
            first, last = np.append(first, -1), np.append(last, -1)
        columns: dict[str, Any] = {"bin": np.arange(self.bins), "label": list(self.labels()), "from": first, "to": last}
        if self.edges is not None:
            gap = [math.nan] if self.missing else []
            columns["above"] = np.array([-math.inf, *self.edges.tolist(), *gap])
            columns["up_to"] = np.array([*self.edges.tolist(), math.inf, *gap])
        return {
            **columns,
            "good": self.good,
            "bad": self.bad,
            "event_rate": self.event_rate,
            "woe": iv.woe,
            "woe_se": iv.woe_se,
            "contribution": self.contributions,
        }


def contributions(table: Counts, divergence: str, smoothing: float) -> Array:
    """Return the term of each row of a table of goods and bads."""
    good, bad = table.T.astype(np.float64)
    cells = smoothing * np.count_nonzero(good + bad)
    totals = good.sum() + cells, bad.sum() + cells
    found: Array = unit().terms(
        np.ascontiguousarray(good), np.ascontiguousarray(bad), KINDS[divergence], smoothing, *totals
    )
    return found

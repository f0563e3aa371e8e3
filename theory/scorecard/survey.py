"""Weighted and clustered rows as a table of sums with the covariance of the shares."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from typing import Any, ClassVar, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from asymptopia.theory._core.result import Result, format_number
from asymptopia.theory._core.validation import choice, fail, integer, numeric
from asymptopia.theory.scorecard.covariance import FEW_CLUSTERS, SurveySamples
from asymptopia.theory.scorecard.sampling import Array, IndependentSamples, Sampling
from asymptopia.theory.scorecard.status import ScorecardStatus

WEIGHT_KINDS = ("sampling", "frequency")
_BLOCK_CELLS = 2**20
_BLOCK_ROWS = 2**18
_MOST = 4096


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SurveyTable(Result):
    r"""Sums of weights by sample and bin, with the linearised covariance of the shares; made by `survey_table`.

    Attributes
    ----------
    totals : ndarray, shape (2, bins)
        Sums of the weights, sample 0 and sample 1.
    rows : ndarray of int, shape (2,)
        Rows of positive weight; for frequency weights the sums of the weights.
    kish : ndarray, shape (2,)
        Kish sizes :math:`(\sum w)^2 / \sum w^2`, which hold where the weights are unrelated to the bins; for frequency
        weights the sums of the weights.
    clusters : ndarray of int, shape (2,), or None
        Clusters that hold rows of each sample; None if each row stands alone.
    weight_kind : str
        ``"sampling"`` or ``"frequency"``; the latter also without weights.
    covariance : ndarray, shape (2 bins, 2 bins)
        Linearised covariance :math:`\sum_g z_g z_g'` of the shares of sample 0, then of sample 1. With the sums
        :math:`t_g` of the weights of unit g by bin, over the sum of the sample, and :math:`T_g = \sum t_g`, the
        residual is :math:`z_g = t_g - \hat p\,T_g`.
    ratio_bias : ndarray, shape (2 bins,)
        Bias :math:`-\sum_g z_g T_g` of the shares, ratios of random sums; 0 for equal weights.

    Notes
    -----
    A unit is a cluster, or a row without clusters. With clusters both are multiplied by :math:`G/(G - 1)`: with all
    clusters G if some hold rows of both samples, else with those of each sample. Without clusters they are multiplied
    by nothing, so that equal weights give the multinomial covariance. Clusters with rows of both samples make the
    samples dependent.
    """

    title: ClassVar[str] = "Survey table"

    totals: Array
    rows: NDArray[np.int64]
    kish: Array
    clusters: NDArray[np.int64] | None
    weight_kind: str
    covariance: Array
    ratio_bias: Array

    def __post_init__(self) -> None:
        for item in fields(self):
            value = getattr(self, item.name)
            if isinstance(value, np.ndarray):
                value.setflags(write=False)

    @property
    def counts(self) -> bool:
        """True if the sums are plain counts of independent rows."""
        return self.weight_kind == "frequency" and self.clusters is None

    @property
    def used(self) -> NDArray[np.bool_]:
        """The bins that are not empty in both samples."""
        return np.asarray(self.totals.sum(axis=0) > 0)

    def sampling(self) -> Sampling:
        """Return the sampling model over the bins in use."""
        used = self.used
        x, y = self.totals[:, used]
        if self.counts:
            return IndependentSamples(x, y)
        both = np.concatenate([used, used])
        return SurveySamples(
            weights=self.totals[:, used],
            rows=(float(self.rows[0]), float(self.rows[1])),
            kish=(float(self.kish[0]), float(self.kish[1])),
            linear=self.covariance[np.ix_(both, both)],
            ratio=self.ratio_bias[both],
            clusters=None if self.clusters is None else int(self.clusters.min()),
        )

    def _lines(self) -> Iterator[tuple[str, str]]:
        for k in (0, 1):
            held = f"{int(self.rows[k])} rows, weight {format_number(float(self.totals[k].sum()))}"
            units = f", {int(self.clusters[k])} clusters" if self.clusters is not None else ""
            yield f"sample {k}", f"{held}, Kish size {format_number(float(self.kish[k]))}{units}"
        yield "weights", self.weight_kind
        yield "bins", str(self.totals.shape[1])

    def _columns(self) -> Mapping[str, Any]:
        share = self.totals / self.totals.sum(axis=1, keepdims=True)
        error = np.sqrt(np.maximum(self.covariance.diagonal(), 0.0)).reshape(2, -1)
        columns: dict[str, Any] = {"bin": np.arange(self.totals.shape[1])}
        for k in (0, 1):
            columns |= {f"total_{k}": self.totals[k], f"share_{k}": share[k], f"share_{k}_se": error[k]}
        return columns


class SurveyParts(NamedTuple):
    """Both vectors of sums, and the table unless it is one of plain counts."""

    sums: tuple[NDArray[Any], NDArray[Any]]
    survey: SurveyTable | None


def survey_parts(table: SurveyTable, name: str, other: object, design: str) -> SurveyParts:
    """Return what a result keeps of a survey table; plain counts give a plain result.

    Raises
    ------
    ValueError
        If `other`, the argument `name`, is given beside the table, or the design is one that clusters express.
    """
    if other is not None:
        message = f"{name} is given beside a survey table, which holds both samples; leave it out"
        raise ValueError(message)
    if design in {"paired", "fixed-bins"}:
        raise fail("design", design, "'two-sample' for a survey table; give what depends on one another as clusters")
    first, second = table.totals.astype(np.int64) if table.counts else table.totals.copy()
    return SurveyParts((first, second), None if table.counts else table)


class _Rows(NamedTuple):
    code: NDArray[Any]
    side: NDArray[np.uint8]
    weight: Array | None
    width: int

    def cells(self, block: slice) -> NDArray[np.int32]:
        """Return the position of rows in both samples' bins together."""
        code = self.code[block].astype(np.int32)
        code[code < 0] = self.width - 1
        code += self.side[block] * np.int32(self.width)
        return code

    def blocks(self) -> Iterator[slice]:
        """Yield slices of rows that bound the memory of the work."""
        for first in range(0, self.code.size, _BLOCK_ROWS):
            yield slice(first, min(first + _BLOCK_ROWS, self.code.size))

    def sums(self, power: int) -> Array:
        """Return the sums of a power of the weights, shape ``(2, bins)``."""
        result = np.zeros(2 * self.width)
        for block in self.blocks():
            weight = None if self.weight is None or power == 0 else self.weight[block] ** power
            result += np.bincount(self.cells(block), weights=weight, minlength=2 * self.width)
        return np.asarray(result.reshape(2, self.width))

    def held(self) -> Array:
        """Return the number of rows of positive weight in both samples."""
        if self.weight is None:
            return np.asarray(self.sums(0).sum(axis=1))
        counts = [int(np.count_nonzero(self.weight[self.side == k])) for k in (0, 1)]
        return np.array(counts, dtype=np.float64)


def survey_table(
    codes: ArrayLike,
    sample: ArrayLike,
    *,
    weights: ArrayLike | None = None,
    weight_kind: str = "sampling",
    clusters: ArrayLike | None = None,
    bins: int | None = None,
) -> SurveyTable:
    r"""Return the weighted table of one feature with the covariance of its shares.

    Parameters
    ----------
    codes : array_like of int
        Bin of each row, shape ``(rows,)``, from 0 to ``bins - 1``; a negative code means missing and falls into the
        last bin, which must then hold no regular code.
    sample : array_like of bool or int
        Sample of each row, 0 (good, or actual) or 1 (bad, or expected), both present.
    weights : array_like, optional
        Weight of each row, >= 0. Rows of weight 0 are left out.
    weight_kind : {"sampling", "frequency"}
        ``"sampling"``: a row stands for `weights` members of the population and is one observation.
        ``"frequency"``: it stands for so many equal rows; whole numbers.
    clusters : array_like of int or str, optional
        Cluster of each row, such as a branch or an account; rows of different clusters are independent. A cluster may
        hold rows of both samples: the same accounts at both dates, for instance.
    bins : int, optional
        Number of bins, that for missing included; by default as many as the codes need.

    Returns
    -------
    SurveyTable
        It takes the place of the counts in `information_value`, `psi` and `divergence`.

    Raises
    ------
    TypeError, ValueError
        If the arrays do not fit together, a code is too large, a weight is negative or not finite, a frequency is not
        whole, a sample has no weight, or all rows of a sample are in one cluster.

    Notes
    -----
    *Assumptions*: clusters are drawn independently, with replacement or few out of many; no strata, no finite
    population correction; bins fixed beforehand. The variance of the divergence is then
    :math:`\sum_g (\sum_{k \in g} w_k (a_k - \bar a)/W)^2` with the influence a of the bin of the row [1]_.

    References
    ----------
    .. [1] D. A. Binder, "On the variances of asymptotically normal estimators from complex surveys", Internat.
       Statist. Rev. 51, 1983, eq. (3.3).

    Examples
    --------
    >>> table = survey_table([0, 0, 1, 1, 0, 1, 1, 1], [0, 0, 0, 0, 1, 1, 1, 1], weights=[1, 2, 1, 1, 3, 1, 1, 2])
    >>> table.totals
    array([[3., 2.],
           [3., 4.]])
    >>> table.kish.round(3)
    array([3.571, 3.267])
    """
    choice("weight_kind", weight_kind, WEIGHT_KINDS)
    code = _codes(codes)
    side = _sample(sample, code.size)
    weight = None if weights is None else _weights(weights, code.size, weight_kind)
    frequency = weights is None or weight_kind == "frequency"
    labels = None if clusters is None else _labels(clusters, code.size)
    rows = _Rows(code, side, weight, _width(code, bins))
    totals = rows.sums(1)
    size = totals.sum(axis=1)
    for k in (0, 1):
        if size[k] == 0:
            raise fail("weights", f"0 in all rows of sample {k}", "a sample with a positive weight")
    squares = totals if frequency else rows.sums(2)
    number = size if frequency else rows.held()
    units = None
    if labels is None:
        moments = _row_moments(totals, squares)
    else:
        moments, units = _cluster_moments(rows, labels, totals)
    few = units is not None and int(units.min()) < FEW_CLUSTERS
    return SurveyTable(
        status=ScorecardStatus.FEW_CLUSTERS if few else ScorecardStatus.OK,
        totals=totals,
        rows=number.astype(np.int64),
        kish=size.copy() if frequency else size**2 / squares.sum(axis=1),
        clusters=units,
        weight_kind="frequency" if frequency else "sampling",
        covariance=moments.covariance,
        ratio_bias=moments.ratio_bias,
    )


class _UnitMoments(NamedTuple):
    covariance: Array
    ratio_bias: Array


def _row_moments(totals: Array, squares: Array) -> _UnitMoments:
    """Return the moments of single rows, from the sums of the weights and of their squares."""
    bins = totals.shape[1]
    covariance, ratio_bias = np.zeros((2 * bins, 2 * bins)), np.zeros(2 * bins)
    for k in (0, 1):
        size = totals[k].sum()
        share, second = totals[k] / size, squares[k] / size**2
        block = slice(k * bins, (k + 1) * bins)
        factor = np.eye(bins) - share[:, None]
        covariance[block, block] = (factor * second) @ factor.T
        ratio_bias[block] = -factor @ second
    return _UnitMoments(covariance, ratio_bias)


def _cluster_moments(rows: _Rows, labels: NDArray[np.int32], totals: Array) -> tuple[_UnitMoments, NDArray[np.int64]]:
    """Return the moments of the clusters and the number that holds each sample."""
    from scipy.sparse import coo_array

    bins = totals.shape[1]
    number = int(labels.max()) + 1
    size = totals.sum(axis=1)
    weight = np.ones(labels.size) if rows.weight is None else rows.weight
    cells = np.concatenate([rows.cells(block) for block in rows.blocks()])
    table = coo_array((weight, (labels, cells)), shape=(number, 2 * bins)).tocsr()
    share = (totals / size[:, None]).ravel()
    sample = np.repeat([0, 1], bins)
    covariance, ratio_bias = np.zeros((2 * bins, 2 * bins)), np.zeros(2 * bins)
    units, shared, held = np.zeros(2, dtype=np.int64), False, 0
    # blocks of clusters: the residuals are formed before they are squared, and are never all in memory
    step = max(1, _BLOCK_CELLS // (2 * bins))
    for first in range(0, number, step):
        block = table[first : first + step].toarray() / size[sample]
        whole = block.reshape(-1, 2, bins).sum(axis=2)
        present = whole > 0
        units += present.sum(axis=0)
        shared |= bool(present.all(axis=1).any())
        held += int(present.any(axis=1).sum())
        block -= whole[:, sample] * share
        covariance += block.T @ block
        ratio_bias -= np.einsum("gi,gi->i", block, whole[:, sample])
    if int(units.min()) < 2:
        k = int(np.argmin(units))
        raise fail("clusters", f"one cluster for all rows of sample {k}", "at least two clusters in each sample")
    groups = np.full(2, held) if shared else units
    factor = np.sqrt(groups / (groups - 1))[sample]
    return _UnitMoments(covariance * np.outer(factor, factor), ratio_bias * factor**2), units


def _codes(codes: ArrayLike) -> NDArray[Any]:
    array = np.asarray(codes)
    if array.dtype.kind not in "iu":
        message = (
            f"codes has dtype {array.dtype}; expected integers: code missing values (NaN) as -1, and categories by "
            "their position"
        )
        raise TypeError(message)
    if array.ndim != 1 or array.size == 0:
        message = f"codes has shape {array.shape}; expected (rows,), one feature with at least one row"
        raise ValueError(message)
    if int(array.max()) > _MOST:
        raise fail("codes.max()", int(array.max()), f"codes of at most {_MOST}: the covariance has (2 bins)**2 entries")
    return array


def _sample(sample: ArrayLike, rows: int) -> NDArray[np.uint8]:
    array = np.asarray(sample)
    if array.dtype.kind not in "biu":
        message = f"sample has dtype {array.dtype}; expected booleans or the integers 0 and 1"
        raise TypeError(message)
    if array.shape != (rows,):
        message = f"sample has shape {array.shape}; expected ({rows},), one entry a row of codes"
        raise ValueError(message)
    odd = (array != 0) & (array != 1)
    if odd.any():
        row = int(np.argmax(odd))
        raise fail(f"sample[{row}]", int(array[row]), "0 or 1")
    ones = int(np.count_nonzero(array))
    if ones in {0, rows}:
        message = f"sample holds the value {int(ones > 0)} only; expected both 0 and 1"
        raise ValueError(message)
    return array.astype(np.uint8)


def _weights(weights: ArrayLike, rows: int, kind: str) -> Array:
    array = numeric("weights", weights)
    if array.shape != (rows,):
        message = f"weights has shape {array.shape}; expected ({rows},), one weight a row of codes"
        raise ValueError(message)
    negative = array < 0
    if negative.any():
        row = int(np.argmax(negative))
        raise fail(f"weights[{row}]", float(array[row]), "weights >= 0")
    if kind == "frequency":
        odd = array != np.floor(array)
        if odd.any():
            row = int(np.argmax(odd))
            raise fail(f"weights[{row}]", float(array[row]), "whole numbers for weight_kind='frequency'")
    return array


def _labels(clusters: ArrayLike, rows: int) -> NDArray[np.int32]:
    """Return the cluster of each row as a position, from 0."""
    array = np.asarray(clusters)
    if array.dtype.kind not in "biuSUO":
        message = f"clusters has dtype {array.dtype}; expected integers or strings without missing values"
        raise TypeError(message)
    if array.shape != (rows,):
        message = f"clusters has shape {array.shape}; expected ({rows},), one label a row of codes"
        raise ValueError(message)
    if array.dtype.kind == "O":
        nothing: Any = None
        missing = np.equal(array, nothing) | np.not_equal(array, array)
        if missing.any():
            row = int(np.argmax(missing))
            message = f"clusters[{row}] is {array[row]!r}; expected integers or strings without missing values"
            raise TypeError(message)
    if array.dtype.kind in "iu":
        low, high = int(array.min()), int(array.max())
        if high - low <= 2 * rows:
            # labels that leave few gaps are their own positions; a gap is a cluster without rows
            shifted = array - array.dtype.type(low) if array.dtype.kind == "u" else array.astype(np.int64) - low
            return np.asarray(shifted.astype(np.int32))
    return np.unique(array, return_inverse=True)[1].astype(np.int32).reshape(rows)


def _width(code: NDArray[Any], bins: int | None) -> int:
    low, high = int(code.min()), int(code.max())
    if bins is None:
        return high + 1 + (low < 0)
    width = integer("bins", bins, 1, _MOST + 1)
    if high >= width:
        row = int(np.argmax(code >= width))
        raise fail(f"codes[{row}]", int(code[row]), f"at most bins - 1 = {width - 1}")
    if low < 0 and high == width - 1:
        row = int(np.argmax(code < 0))
        message = (
            f"codes[{row}] is {int(code[row])}, missing, and bin {width - 1} also holds regular codes; give "
            f"bins={width + 1} to keep the last bin for missing"
        )
        raise ValueError(message)
    return width

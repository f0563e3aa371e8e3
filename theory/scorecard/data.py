"""From tables of rows to information values and stability indices with intervals."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

import numpy as np
from numpy.typing import NDArray

from asymptopia.theory._core.result import Result, format_number
from asymptopia.theory._core.status import Status
from asymptopia.theory._core.validation import choice
from asymptopia.theory.scorecard.adjustment import ADJUSTMENTS, adjust_pvalues
from asymptopia.theory.scorecard.coding import Cells, Column, cells, columns_of
from asymptopia.theory.scorecard.counting import count_table
from asymptopia.theory.scorecard.inference import information_value, psi
from asymptopia.theory.scorecard.results import IVResult, PSIResult
from asymptopia.theory.scorecard.survey import survey_table

_OPERATORS: dict[str, Callable[[Any, Any], Any]] = {
    "==": operator.eq,
    "!=": operator.ne,
    ">=": operator.ge,
    "<=": operator.le,
    ">": operator.gt,
    "<": operator.lt,
}


class ScreenStatus(Status):
    """Outcome of a screen of columns."""

    OK = "Every column lies within the validity of the theory."
    CAVEATS = "Some columns lie outside the validity of the theory: see their own status."


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Screen(Result):
    """One information value or stability index a column, with p-values adjusted for looking at all of them.

    Attributes
    ----------
    quantity : str
        ``"IV"`` or ``"PSI"``.
    features : tuple of str
        Columns, in the order of the table.
    results : tuple of IVResult or PSIResult
        One a column.
    labels : tuple of tuple of str
        The names of each column's cells.
    adjustment : str
        How `adjusted` was made.
    adjusted : numpy.ndarray
        Adjusted p-values; NaN where a column has a single cell.
    """

    title: ClassVar[str] = "Screen of columns"
    plotter: ClassVar[str] = "asymptopia.theory.scorecard.plots:plot_screen"

    quantity: str
    features: tuple[str, ...]
    results: tuple[IVResult | PSIResult, ...]
    labels: tuple[tuple[str, ...], ...]
    adjustment: str
    adjusted: NDArray[np.float64]

    def __post_init__(self) -> None:
        self.adjusted.setflags(write=False)

    def __getitem__(self, feature: str) -> IVResult | PSIResult:
        """Return the result of one column.

        Raises
        ------
        KeyError
            If there is no such column; the message lists those that are.
        """
        if feature not in self.features:
            message = f"no column {feature!r}; there are {', '.join(map(repr, self.features))}"
            raise KeyError(message)
        return self.results[self.features.index(feature)]

    def order(self) -> list[int]:
        """Return the positions of the columns, largest smoothed estimate first."""
        return sorted(range(len(self.features)), key=lambda i: -self.results[i].estimate_smoothed)

    def _lines(self) -> Iterator[tuple[str, str]]:
        for i in self.order():
            found = self.results[i]
            low, high = (format_number(end, 4) for end in found.ci)
            yield (
                self.features[i],
                f"{self.quantity} {format_number(found.estimate, 4)}  95 % [{low}, {high}]  "
                f"p {format_number(found.pvalue, 3)}  {self.adjustment} {format_number(float(self.adjusted[i]), 3)}",
            )

    def _columns(self) -> Mapping[str, Any]:
        rows = [self.results[i] for i in self.order()]
        return {
            "feature": [self.features[i] for i in self.order()],
            "bins": [row.bins for row in rows],
            "estimate": [row.estimate for row in rows],
            "estimate_smoothed": [row.estimate_smoothed for row in rows],
            "bias": [row.bias for row in rows],
            "se": [row.se for row in rows],
            "ci_low": [row.ci[0] for row in rows],
            "ci_high": [row.ci[1] for row in rows],
            "statistic": [row.statistic for row in rows],
            "dof": [row.dof for row in rows],
            "pvalue": [row.pvalue for row in rows],
            "pvalue_adjusted": [float(self.adjusted[i]) for i in self.order()],
            "status": [row.status.name for row in rows],
        }


def iv_screen_frame(
    data: Any,
    target: str,
    *,
    event: str | None = None,
    columns: Sequence[str] | None = None,
    bins: int = 10,
    smoothing: float = 0,
    adjust: str = "holm",
    weights: str | None = None,
    clusters: str | None = None,
) -> Screen:
    """Return the information value of every column against a binary target.

    Parameters
    ----------
    data : data frame or mapping of arrays
        One row a case. pandas, polars, pyarrow: whatever narwhals reads.
    target : str
        Column of the outcome. Without `event` it must hold 0 and 1, or False and True; 1 is the event (bad).
    event : str, optional
        What makes a row an event: a comparison such as ``"> 0"``, or a value such as ``"default"``.
    columns : sequence of str, optional
        Columns to screen; all but the target if None.
    bins : int
        Quantile bins of a numeric column with more distinct values than this. Cut points come from the pooled rows,
        without a look at the target, so that the tests keep their level.
    smoothing : float
        Additive smoothing of the estimator, as in `information_value`.
    adjust : {"holm", "bonferroni", "bh", "by"}
        Adjustment of the p-values for the number of columns.
    weights : str, optional
        Column of sampling weights, >= 0, as in `survey_table`. The cut points do not use them.
    clusters : str, optional
        Column that names the cluster of each row, such as a branch: rows of one cluster may depend on one another.

    Raises
    ------
    ValueError
        If a column is unknown, the target is missing somewhere, not binary, or of a single class; if a weight or a
        cluster is missing, or a weight is negative.

    Examples
    --------
    >>> table = {"age": [23, 31, 45, 52, 38, 61, 29, 44], "home": list("aabbabab"), "bad": [1, 1, 0, 0, 1, 0, 0, 0]}
    >>> found = iv_screen_frame(table, "bad", bins=2)
    >>> found.features
    ('age', 'home')
    """
    choice("adjust", adjust, ADJUSTMENTS)
    (outcome,) = columns_of(data, [target])
    bad = events(outcome, event)
    design = _Design.of([data], weights, clusters)
    found = [column for column in columns_of(data, columns) if column.name not in {target, weights, clusters}]
    if not found:
        message = f"the table has no column but the target {target!r}"
        raise ValueError(message)
    coded = [cells(column, bins=bins) for column in found]
    return _screen("IV", found, coded, bad, smoothing, adjust, design)


def psi_screen_frame(
    actual: Any,
    expected: Any,
    *,
    columns: Sequence[str] | None = None,
    bins: int = 10,
    smoothing: float = 0,
    adjust: str = "holm",
    weights: str | None = None,
    clusters: str | None = None,
) -> Screen:
    """Return the population stability index of every column between two tables.

    Parameters
    ----------
    actual, expected : data frame or mapping of arrays
        The current rows and the reference rows.
    columns : sequence of str, optional
        Columns to compare; all that both tables have if None, and then both must have the same.
    bins, smoothing, adjust
        As in `iv_screen_frame`. Cut points are quantiles of the reference.
    weights, clusters : str, optional
        As in `iv_screen_frame`, columns of both tables. A cluster may have rows in both: with the account as the
        cluster, the same accounts may be in both tables.

    Raises
    ------
    ValueError
        If a column is missing in one table, or is numeric in one and text in the other; if a weight or a cluster is
        missing, or a weight is negative.

    Examples
    --------
    >>> now, then = {"home": list("aaabbbbb")}, {"home": list("aaaabbbb")}
    >>> round(psi_screen_frame(now, then)["home"].estimate, 6)
    0.063853
    """
    choice("adjust", adjust, ADJUSTMENTS)
    reference, current = columns_of(expected, columns), columns_of(actual, columns)
    names = [column.name for column in reference]
    if columns is None and {column.name for column in current} != set(names):
        odd = sorted({column.name for column in current} ^ set(names))
        message = f"only one of the tables has {', '.join(map(repr, odd))}; name the columns to compare"
        raise ValueError(message)
    design = _Design.of([expected, actual], weights, clusters)
    reference = [column for column in reference if column.name not in {weights, clusters}]
    if not reference:
        message = "the tables have no column to compare"
        raise ValueError(message)
    by_name = {column.name: column for column in current}
    coded = [cells(column, by_name[column.name], bins=bins) for column in reference]
    sizes = len(reference[0].values), len(current[0].values)
    if min(sizes) == 0:
        message = f"the {'expected' if sizes[0] == 0 else 'actual'} table has no rows"
        raise ValueError(message)
    sample = np.repeat(np.array([1, 0], dtype=np.uint8), sizes)
    return _screen("PSI", reference, coded, sample, smoothing, adjust, design)


def events(column: Column, event: str | None) -> NDArray[np.uint8]:
    """Return 1 where the target is the event, else 0.

    Raises
    ------
    ValueError
        If a target is missing, or `event` is None and the target is not 0 and 1.
    """
    missing = int(column.missing.sum())
    if missing:
        message = f"target {column.name!r} is missing in {missing} of {len(column.values)} rows; drop those rows first"
        raise ValueError(message)
    if event is not None:
        hit = _compare(column, event.strip())
    elif column.numeric:
        hit = column.values == 1
        rest = column.values[~hit & (column.values != 0)]
        if rest.size:
            message = f"target {column.name!r} holds {rest[0]:g}; expected 0 and 1, or say what the event is"
            raise ValueError(message)
    else:
        levels = sorted(set(column.values))
        if not set(levels) <= {"False", "True"}:
            message = f"target {column.name!r} holds {levels[:5]}; say which value is the event"
            raise ValueError(message)
        hit = column.values == "True"
    share = int(hit.sum())
    if share in {0, len(hit)}:
        which = "no row" if share == 0 else "every row"
        message = f"{which} of the {len(hit)} has the event in {column.name!r}; expected both classes"
        raise ValueError(message)
    return np.asarray(hit, dtype=np.uint8)


def _compare(column: Column, event: str) -> NDArray[np.bool_]:
    sign = next((sign for sign in _OPERATORS if event.startswith(sign)), "==")
    text = event.removeprefix(sign).strip()
    if not column.numeric:
        if sign not in {"==", "!="}:
            message = f"event is {event!r}, but {column.name!r} holds text; expected a value, or != and a value"
            raise ValueError(message)
        return np.asarray(_OPERATORS[sign](column.values, text), dtype=bool)
    try:
        number = float(text)
    except ValueError:
        message = f"event is {event!r}; expected a number after one of {', '.join(_OPERATORS)}"
        raise ValueError(message) from None
    return np.asarray(_OPERATORS[sign](column.values, number), dtype=bool)


class _Design(NamedTuple):
    """Weight and cluster of every row, None where each row counts once and stands alone."""

    weights: NDArray[np.float64] | None
    clusters: NDArray[np.int64] | None

    @classmethod
    def of(cls, tables: Sequence[Any], weights: str | None, clusters: str | None) -> _Design:
        """Read both columns of the tables, one after the other."""
        weight = None if weights is None else _stacked(tables, weights, "weights")
        label = None if clusters is None else _stacked(tables, clusters, "clusters")
        if weight is not None:
            if weight.dtype.kind != "f":
                message = f"weights is the column {weights!r}, which holds text; expected numbers >= 0"
                raise ValueError(message)
            if not (np.isfinite(weight) & (weight >= 0)).all():
                odd = float(weight[~(np.isfinite(weight) & (weight >= 0))][0])
                message = f"the column of weights, {weights!r}, holds {odd!r}; expected finite numbers >= 0"
                raise ValueError(message)
        return cls(weight, None if label is None else np.unique(label, return_inverse=True)[1].astype(np.int64))


def _stacked(tables: Sequence[Any], name: str, kind: str) -> NDArray[Any]:
    found = [columns_of(table, [name])[0] for table in tables]
    missing = sum(int(column.missing.sum()) for column in found)
    if missing:
        message = f"the column of {kind}, {name!r}, is missing in {missing} rows; drop those rows or fill it first"
        raise ValueError(message)
    if len({column.numeric for column in found}) > 1:
        message = f"the column of {kind}, {name!r}, is numeric in one table and text in the other; convert it first"
        raise ValueError(message)
    values = [column.values if column.numeric else column.values.astype(str) for column in found]
    return np.concatenate(values)


def _results(
    quantity: str, coded: Sequence[Cells], sample: NDArray[np.uint8], smoothing: float, design: _Design
) -> Iterator[IVResult | PSIResult]:
    if design.weights is not None or design.clusters is not None:
        for column in coded:
            codes, width = np.concatenate(column.codes), len(column.labels)
            survey = survey_table(codes, sample, weights=design.weights, clusters=design.clusters, bins=width)
            yield (
                information_value(survey, smoothing=smoothing)
                if quantity == "IV"
                else psi(survey, baseline=_baseline(column), smoothing=smoothing)
            )
        return
    widest = max(len(column.labels) for column in coded)
    codes = np.stack([np.concatenate(column.codes) for column in coded], axis=1)
    table = count_table(codes.astype(np.uint16 if widest <= 2**16 else np.int32), sample, max(2, widest))
    for counts, column in zip(table, coded, strict=True):
        first, second = counts[: len(column.labels)].T
        if quantity == "IV":
            yield information_value(first, second, smoothing=smoothing)
        else:
            yield psi(first, second, baseline=_baseline(column), smoothing=smoothing)


def _baseline(column: Cells) -> str:
    return "quantile" if column.quantiles else "random"


def _screen(
    quantity: str,
    found: Sequence[Column],
    coded: Sequence[Cells],
    sample: NDArray[np.uint8],
    smoothing: float,
    adjust: str,
    design: _Design,
) -> Screen:
    results = tuple(_results(quantity, coded, sample, smoothing, design))
    return Screen(
        status=ScreenStatus.OK if all(result.status.ok for result in results) else ScreenStatus.CAVEATS,
        quantity=quantity,
        features=tuple(column.name for column in found),
        results=results,
        labels=tuple(column.labels for column in coded),
        adjustment=adjust,
        adjusted=adjust_pvalues([result.pvalue for result in results], adjust),
    )

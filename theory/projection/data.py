"""From a table to the criterion: a family and its data, a report by group and family, data sets of dependencies."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

import numpy as np
from numpy.typing import NDArray

from asymptopia.theory._core.result import Result, format_number
from asymptopia.theory._core.rng import RNG, seed_sequence
from asymptopia.theory._core.validation import choice
from asymptopia.theory.projection.criterion import criterion_of
from asymptopia.theory.projection.criterion_result import PNCriterion
from asymptopia.theory.projection.errors import MLEDoesNotExistError, NotMinimalError
from asymptopia.theory.projection.frames import Columns, empty_cells, read_columns
from asymptopia.theory.projection.information import TakeuchiPenalty, penalty_at
from asymptopia.theory.projection.kinds import FAMILIES, check_options, kind_of, make_family
from asymptopia.theory.projection.plugin import LEAST_ROWS
from asymptopia.theory.projection.status import ProjectionStatus

if TYPE_CHECKING:
    from asymptopia.theory.projection.families.protocol import ExponentialFamily

Array = NDArray[np.float64]

DATASETS = {
    "star98": "303 Californian school districts, 22 numeric columns (mvn), shipped by statsmodels",
    "anes96": "944 voters of 1996 with their views on scales (loglinear), shipped by statsmodels",
    "randhie": "20190 person-years of health insurance: doctor visits (poisson), shipped by statsmodels",
    "iris": "150 irises of three species, four measurements (mvn, by species), with scikit-learn",
}
"""Data sets for `load_dataset`, and what they are."""


class FromFrame(NamedTuple):
    """A family and the data for it."""

    family: ExponentialFamily
    array: Array
    """Shape (n,) of one column for a family of one variable, (n, d) otherwise; codes of levels are counted from 0."""
    names: tuple[str, ...]
    """Names of the columns."""


class Failure(NamedTuple):
    """A group and a family without a criterion."""

    group: str
    family: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PNReport(Result):
    """The criterion of each group of rows and each family."""

    title: ClassVar[str] = "p-n criterion of a table"
    plotter: ClassVar[str] = "asymptopia.theory.projection.plots_data:plot_pn_report"

    status: ProjectionStatus
    """The most severe of the criteria; NO_MLE if there is a failure."""
    n: int
    """Rows used."""
    columns: tuple[str, ...]
    dropped: tuple[tuple[str, int], ...]
    """Column and number of rows that it was the first to lose."""
    log: bool
    """True if the logarithms of the columns were taken."""
    by: str | None
    groups: tuple[str, ...]
    """Group of each criterion, 'all' without `by`."""
    families: tuple[str, ...]
    """Family of each criterion, by the name it was asked for."""
    criteria: tuple[PNCriterion, ...]
    penalties: tuple[TakeuchiPenalty, ...]
    """Takeuchi's criterion of each."""
    failures: tuple[Failure, ...]
    """Groups and families of which no estimate exists."""

    def __getitem__(self, key: str | tuple[str, str]) -> PNCriterion:
        """Return the criterion of a group, of a family, or of a pair of both.

        Raises
        ------
        KeyError
            If there is none or more than one; the message lists the pairs.
        """
        pairs = [*zip(self.groups, self.families, strict=True)]
        found = [at for at, pair in enumerate(pairs) if key == pair or key in pair]
        if len(found) != 1:
            message = f"{key!r} names {len(found)} criteria; there are {', '.join(map(repr, pairs))}"
            raise KeyError(message)
        return self.criteria[found[0]]

    @property
    def passed(self) -> bool:
        """True if every group passes under every family."""
        return not self.failures and all(one.passed for one in self.criteria)

    @property
    def best(self) -> tuple[str, ...]:
        """For each group the family of the smallest Takeuchi criterion, in the order of the groups."""
        least: dict[str, tuple[float, str]] = {}
        for group, family, penalty in zip(self.groups, self.families, self.penalties, strict=True):
            least[group] = min(least.get(group, (math.inf, family)), (_tic(penalty), family))
        return tuple(family for _, family in least.values())

    def _lines(self) -> Iterator[tuple[str, str]]:
        taken = "logarithms of " if self.log else ""
        yield "data", f"{self.n} rows, {taken}{', '.join(self.columns)}"
        for name, count in self.dropped:
            yield "left out", f"{count} rows for {name!r}"
        for group, family, one, penalty in zip(self.groups, self.families, self.criteria, self.penalties, strict=True):
            yield f"{group}, {family}", one.verdict
            yield (
                "",
                f"p/(2n) {format_number(one.naive, 4)}, t0/(2n) {format_number(one.first, 4)}, "
                f"t0/p {format_number(one.ratio, 3)}, required n {one.required_n}, "
                f"TIC {format_number(_tic(penalty), 8)}",
            )
            for note in one.notes:
                yield "", note
        for failure in self.failures:
            yield f"{failure.group}, {failure.family}", f"no criterion: {failure.reason}"

    def _columns(self) -> Mapping[str, Any]:
        names = ("n", "p", "naive", "first", "second", "risk", "threshold", "passed", "required_n", "t0", "ratio")
        table: dict[str, list[Any]] = {"group": [*self.groups], "family": [*self.families]}
        for name in names:
            table[name] = [getattr(one, name) for one in self.criteria]
        table["tic"] = [penalty.value for penalty in self.penalties]
        table["status"] = [one.status.name for one in self.criteria]
        for failure in self.failures:
            row = {"group": failure.group, "family": failure.family, "passed": False, "status": "NO_MLE"}
            for name, values in table.items():
                values.append(row.get(name))
        return table


def _tic(penalty: TakeuchiPenalty) -> float:
    """Return the criterion, which every family of columns has."""
    return math.nan if penalty.value is None else penalty.value


def family_from_frame(
    frame: Any,
    columns: Sequence[str] | None = None,
    family: str = "mvn",
    *,
    log: bool = False,
    missing: str = "raise",
    **options: Any,
) -> FromFrame:
    """Return a family made of the columns of a table, and the data for it.

    Parameters
    ----------
    frame : data frame, mapping of arrays, array of shape (n, d), or path of a CSV file
        pandas, polars, pyarrow: whatever narwhals reads. A file has a header and commas, semicolons or tabs.
    columns : sequence of str, optional
        Which columns; all if None.
    family : str
        One of `FAMILIES`. "multinomial", "bernoulli", "loglinear" and "ising" code the levels of their columns, those
        that occur, in order; the others take numbers.
    log : bool
        Take the natural logarithm of each column first.
    missing : {"raise", "drop"}
        What to do with rows that hold a missing or infinite value, or one <= 0 if `log`.
    **options
        Structure of the family: `known_mean` (mvn-cov), `known_shape` (gamma), `size` (negative-binomial),
        `interactions` (loglinear, 2), `edges` (ising).

    Returns
    -------
    FromFrame
        ``(family, array, names)``.

    Raises
    ------
    TypeError
        If `frame` is none of these, or an option is unknown or missing.
    ValueError
        If a column does not exist or is of the wrong kind, a value is missing (the message names row and column), a
        column has more than 30 levels, or the family takes another number of columns.

    Examples
    --------
    >>> table = {"x": [0.3, 1.2, 0.7], "y": [1.0, 2.5, 1.9], "colour": ["red", "blue", "red"]}
    >>> family, array, names = family_from_frame(table, ["x", "y"])
    >>> family.dim, array.shape, names
    (5, (3, 2), ('x', 'y'))
    >>> family_from_frame(table, ["colour"], "bernoulli").array
    array([1., 0., 1.])
    """
    kind = kind_of(family)
    check_options((family,), options)
    if columns is not None and isinstance(columns, str):
        columns = [columns]
    found = read_columns(frame, columns, coded=kind.coded, log=log, missing=missing)
    return FromFrame(make_family(family, found, options), _array(family, found.values), found.names)


def _array(family: str, values: Array) -> Array:
    """Return the data as the family takes them."""
    if family == "ising":
        return 2.0 * values - 1.0
    return values[:, 0] if kind_of(family).most == 1 else values


def pn_report(
    frame: Any,
    family: str | Sequence[str] = "mvn",
    *,
    by: str | None = None,
    columns: Sequence[str] | None = None,
    log: bool = False,
    missing: str = "raise",
    alpha: float = 0.05,
    order: int = 2,
    bias_correct: bool = True,
    bound: str = "sharp",
    bootstrap: int = 0,
    rng: RNG = None,
    **options: Any,
) -> PNReport:
    """Return the p-n criterion of a table, for each group of its rows and each of several families.

    Parameters
    ----------
    frame, columns, log, missing, **options
        As `family_from_frame`. Levels are those of the whole table, in every group.
    family : str or sequence of str
        One or more of `FAMILIES`.
    by : str, optional
        Column whose values group the rows.
    alpha, order, bias_correct, bound, bootstrap, rng
        As `pn_criterion`.

    Returns
    -------
    PNReport
        A group without an estimate, for instance one in which a level does not occur, is listed in `failures`. The
        `largest_row` of each criterion is the row of the whole table, whatever rows were dropped.

    Raises
    ------
    TypeError, ValueError
        As `family_from_frame` and `pn_criterion`.
    MLEDoesNotExistError
        If no group has an estimate under any family.

    Notes
    -----
    The criterion says whether a family can be estimated well enough, not whether it fits: for that compare Takeuchi's
    criterion (smaller is better), which families of the same columns share, counts and categories among themselves.

    Examples
    --------
    >>> x = np.random.default_rng(0).gamma(3.0, size=300)
    >>> report = pn_report({"x": x}, ["gamma", "exponential"])
    >>> report.passed, report["exponential"].p, report.best
    (True, 1, ('gamma',))
    """
    given: Any = family
    if not isinstance(given, str | Sequence):
        message = f"family is of type {type(family).__name__}; expected names such as {', '.join(map(repr, FAMILIES))}"
        raise TypeError(message)
    names = (family,) if isinstance(family, str) else tuple(family)
    if not names:
        message = f"family is {family!r}; expected at least one of {', '.join(map(repr, FAMILIES))}"
        raise ValueError(message)
    check_options(names, options)
    if columns is not None and isinstance(columns, str):
        columns = [columns]
    seeds = seed_sequence(rng)
    entries: list[tuple[str, str, PNCriterion, TakeuchiPenalty]] = []
    failures: list[Failure] = []
    last: ValueError | None = None
    read: dict[bool, Columns] = {}
    for name in names:
        coded = kind_of(name).coded
        if coded not in read:
            read[coded] = read_columns(frame, columns, coded=coded, by=by, log=log, missing=missing)
        found = read[coded]
        model = make_family(name, found, options)
        for group, rows in _split(found):
            array = _array(name, found.values[rows])
            if array.shape[0] < LEAST_ROWS:
                failures.append(Failure(group, name, f"{array.shape[0]} rows; expected at least {LEAST_ROWS}"))
                continue
            try:
                one = criterion_of(
                    array,
                    model,
                    alpha=alpha,
                    order=order,
                    bias_correct=bias_correct,
                    bound=bound,
                    bootstrap=bootstrap,
                    rng=seeds.spawn(1)[0],
                    rows=found.rows[rows],
                )
            except (MLEDoesNotExistError, NotMinimalError) as error:
                cells = empty_cells(found, rows) if coded else ""
                last = MLEDoesNotExistError(f"{cells}: {error}") if cells else error
                failures.append(Failure(group, name, str(last)))
                continue
            entries.append((group, name, one, penalty_at(one, model, array)))
    if not entries:
        raise last or MLEDoesNotExistError("; ".join(f"{one.group}: {one.reason}" for one in failures))
    statuses = [one.status for _, _, one, _ in entries] + [ProjectionStatus.NO_MLE] * bool(failures)
    first = next(iter(read.values()))
    return PNReport(
        status=ProjectionStatus.worst(statuses),
        n=first.values.shape[0],
        columns=first.names,
        dropped=first.dropped,
        log=bool(log),
        by=by,
        groups=tuple(group for group, _, _, _ in entries),
        families=tuple(name for _, name, _, _ in entries),
        criteria=tuple(one for _, _, one, _ in entries),
        penalties=tuple(penalty for _, _, _, penalty in entries),
        failures=tuple(failures),
    )


def _split(found: Columns) -> Iterator[tuple[str, NDArray[np.bool_]]]:
    """Yield the groups in the order of their first rows."""
    if found.groups is None:
        yield "all", np.ones(found.values.shape[0], dtype=bool)
        return
    labels = np.array(found.groups)
    for label in dict.fromkeys(found.groups):
        yield label, labels == label


def load_dataset(name: str) -> Any:
    """Return the data frame of a data set that an installed package ships.

    Parameters
    ----------
    name : {"star98", "anes96", "randhie", "iris"}

    Raises
    ------
    ModuleNotFoundError
        If scikit-learn, which ships iris, is not installed.
    ValueError
        If the name is another one.

    Examples
    --------
    >>> load_dataset("anes96").shape
    (944, 11)
    """
    from importlib import import_module

    choice("name", name, tuple(DATASETS))
    if name != "iris":
        return import_module(f"statsmodels.datasets.{name}").load_pandas().data
    try:
        sets = import_module("sklearn.datasets")
    except ModuleNotFoundError:
        message = "the data set 'iris' needs scikit-learn: pip install scikit-learn, or take star98"
        raise ModuleNotFoundError(message) from None
    found = sets.load_iris(as_frame=True)
    return found.data.assign(species=found.target_names[found.target])


__all__ = [
    "DATASETS", "FAMILIES", "Failure", "FromFrame", "PNReport", "family_from_frame", "load_dataset", "pn_report",
]  # fmt: skip

"""What ``iv`` and ``psi`` found, one row a column: what the table, the JSON file and the HTML report are made of."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from asymptopia.theory._core.status import Status
    from asymptopia.theory.scorecard.binning import BinningResult
    from asymptopia.theory.scorecard.data import Screen
    from asymptopia.theory.scorecard.results import IVResult, PSIResult

RULES = {"IV": (0.02, 0.1, 0.3), "PSI": (0.1, 0.25)}
"""Customary thresholds, which know nothing of the sizes."""
NAMES = {"IV": "information value", "PSI": "population stability index"}
CHI_SQUARE, MIXTURE, PERMUTATION = "chi-square", "chi-square mixture", "permutation"
YES, NO, OPEN = "yes", "no", "open"


@dataclass(frozen=True, slots=True, kw_only=True)
class Material:
    """Both tests of one value against the margin; the verdict is that of the adjusted p-values."""

    above: float
    above_adjusted: float
    below: float
    below_adjusted: float
    verdict: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One column: its result and what was made of it."""

    name: str
    result: IVResult | PSIResult
    labels: tuple[str, ...]
    interval: tuple[float, float]
    pvalue: float
    log_pvalue: float
    adjusted: float
    test: str
    status: Status
    notes: tuple[str, ...]
    material: Material | None
    binning: BinningResult | None

    def noise_point(self, alpha: float = 0.05) -> float:
        """Return what noise alone exceeds with probability `alpha`; NaN where the law is not known."""
        from asymptopia.theory.scorecard.design import psi_critical_value

        found = self.result
        if not self._plain:
            return math.nan
        if found.survey is None:
            return float(psi_critical_value(found.n, found.m, found.bins, alpha))
        return float(self._mixture().isf(alpha)) / found.n_eff

    def noise_exceeds(self, threshold: float) -> float:
        """Return the probability that noise alone exceeds the threshold; NaN where the law is not known."""
        from asymptopia.theory.scorecard.design import threshold_false_alarm

        found = self.result
        if not self._plain:
            return math.nan
        if found.survey is None:
            return float(threshold_false_alarm(threshold, found.n, found.m, found.bins))
        return float(self._mixture().sf(found.n_eff * threshold))

    @property
    def _plain(self) -> bool:
        """False where the bins were chosen or nothing can be tested: the law of noise is not known."""
        return self.binning is None and self.result.dof > 0

    def _mixture(self) -> Any:
        """Return the law of the statistic of a survey under noise, as its p-value has it."""
        from asymptopia.theory.scorecard.mixtures import weighted_chi2

        survey = self.result.survey
        # 1/2 a bin smooths the weights of the mixture
        return weighted_chi2([] if survey is None else survey.sampling().null_weights(0.5))


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """The rows, largest smoothed estimate first, with what they share."""

    quantity: str
    level: float
    adjustment: str
    margin: float | None
    repeats: int
    rows: tuple[Row, ...]

    @property
    def alpha(self) -> float:
        """Level of the verdicts: what the interval leaves out."""
        return round(1 - self.level, 12)

    @property
    def chosen(self) -> bool:
        """True if bins of a column were chosen on the outcomes."""
        return any(row.binning is not None for row in self.rows)

    def statuses(self) -> list[Status]:
        """Return the statuses that occur, OK apart, each once."""
        return list(dict.fromkeys(row.status for row in self.rows if not row.status.ok))

    def remarks(self) -> list[str]:
        """Return what must be said of all rows."""
        found = []
        if self.margin is not None:
            found.append(
                f"p ({self.quantity} > {self.margin:g}) and p ({self.quantity} < {self.margin:g}) are adjusted "
                f"({self.adjustment}); material? is judged at {self.alpha:g}."
            )
        if self.chosen:
            found.append(
                f"Bins of numeric columns were chosen on these outcomes. Their p-values are those of {self.repeats} "
                "permutations, each with a search of its own. Their intervals, SE and bias take the bins as given and "
                "are too favourable: take them from rows that were not used for the search."
            )
            least = len(self.rows) / (self.repeats + 1)
            if self.adjustment in {"holm", "bonferroni"} and least > self.alpha:
                found.append(
                    f"{self.repeats} permutations cannot bring an adjusted p-value of {len(self.rows)} columns below "
                    f"{least:.3g}: raise --repeats."
                )
        return found


def sheet(screen: Screen, *, level: float, margin: float | None = None) -> Sheet:
    """Return the rows of a screen."""
    rows = [
        Row(
            name=screen.features[i],
            result=found,
            labels=screen.labels[i],
            interval=found.confidence_interval(level),
            pvalue=found.pvalue,
            log_pvalue=found.log_pvalue,
            adjusted=float(screen.adjusted[i]),
            test=CHI_SQUARE if found.survey is None else MIXTURE,
            status=found.status,
            notes=found.notes,
            material=None,
            binning=None,
        )
        for i, found in enumerate(screen.results)
    ]
    return make_sheet(rows, screen.quantity, screen.adjustment, level=level, margin=margin)


def make_sheet(
    rows: Sequence[Row], quantity: str, adjustment: str, *, level: float, margin: float | None = None, repeats: int = 0
) -> Sheet:
    """Return the rows in order, tested against the margin if there is one."""
    if margin is not None:
        rows = _against(rows, margin, adjustment, round(1 - level, 12))
    rows = sorted(rows, key=lambda row: -row.result.estimate_smoothed)
    return Sheet(
        quantity=quantity, level=level, adjustment=adjustment, margin=margin, repeats=repeats, rows=tuple(rows)
    )


def verdict(above: float, below: float, alpha: float) -> str:
    """Return whether a value is material by the adjusted p-values of both tests."""
    return YES if above <= alpha else NO if below <= alpha else OPEN


def _against(rows: Sequence[Row], margin: float, adjustment: str, alpha: float) -> list[Row]:
    from dataclasses import replace

    from asymptopia.theory.scorecard.adjustment import adjust_pvalues

    above = [row.result.test(margin).pvalue for row in rows]
    below = [row.result.test(margin, "less").pvalue for row in rows]
    adjusted = [adjust_pvalues(values, adjustment).tolist() for values in (above, below)]
    return [
        replace(
            row,
            material=Material(
                above=a, above_adjusted=more, below=b, below_adjusted=less, verdict=verdict(more, less, alpha)
            ),
        )
        for row, a, more, b, less in zip(rows, above, adjusted[0], below, adjusted[1], strict=True)
    ]


class Drawn:
    """What `plot_screen` takes of a screen, with the p-values of the sheet."""

    def __init__(self, sheet: Sheet) -> None:
        self.quantity, self.adjustment, self.margin = sheet.quantity, sheet.adjustment, sheet.margin
        self.alpha = sheet.alpha
        self.features = tuple(shown_name(row.name) for row in sheet.rows)
        self.results = tuple(row.result if row.binning is None else _WithoutNoise(row.result) for row in sheet.rows)
        self.adjusted = tuple(row.adjusted for row in sheet.rows)

    def order(self) -> list[int]:
        """Return the positions of the rows, which are in order."""
        return [*range(len(self.features))]


def shown_name(name: str, most: int = 32) -> str:
    """Return a name for a figure of matplotlib: cut short, and no formula in it."""
    return (name if len(name) <= most else f"{name[: most - 1]}…").replace("$", r"\$")


class _WithoutNoise:
    """A result in chosen bins: what noise reaches there is not the chi-square law."""

    dof = 0

    def __init__(self, result: Any) -> None:
        self.estimate, self.estimate_smoothed = result.estimate, result.estimate_smoothed
        self.confidence_interval = result.confidence_interval

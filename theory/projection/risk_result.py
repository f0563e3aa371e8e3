"""The risk of the maximum likelihood estimator as a series in 1/n."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike

from asymptopia.theory._core.result import Result, format_number
from asymptopia.theory._core.validation import Array, fail, integer, numeric, real
from asymptopia.theory.projection.coefficients import smallest_size
from asymptopia.theory.projection.invariants import Contractions
from asymptopia.theory.projection.status import LARGE_SECOND, ProjectionStatus

_LEAST = 1e-200


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RiskExpansion(Result):
    """Coefficients of the risk E KL(projection || estimate), of the reverse risk and of the optimism, nats.

    The risk is the excess of the out-of-sample log loss of the estimate over that of the projection, exactly at every
    n. The optimism is the mean log likelihood an observation in the sample less that out of it: risk plus reverse
    risk.
    """

    title: ClassVar[str] = "Risk of the maximum likelihood estimator"
    plotter: ClassVar[str] = "asymptopia.theory.projection.plots:plot_risk"

    status: ProjectionStatus
    """Limit of the coefficients themselves; `status_at` adds those of a sample size."""
    family: str
    p: int
    """Number of natural parameters."""
    order: int
    """Number of terms that `risk` and `required_n` take by default."""
    well_specified: bool
    n: int | None
    """Size of the sample that the truth was read from; None if it was given by its law."""
    theta_star: Array
    """Natural parameter of the projection, shape (p,)."""
    c1: float
    c2: float
    c3: float | None
    optimism1: float
    optimism2: float
    optimism3: float | None
    reverse1: float
    reverse2: float
    reverse3: float | None
    c1_error: float | None
    """Monte Carlo standard error of `c1` under a sampled family, with that of a theta which was fitted; None where
    moments are computed."""
    c2_error: float | None
    """Monte Carlo standard error of `c2`, at the theta of the result; batches of few draws overstate it."""
    contractions: Contractions

    def __post_init__(self) -> None:
        self.theta_star.setflags(write=False)

    def risk(self, n: ArrayLike, order: int | None = None) -> Any:
        """Return the series of the risk, nats.

        Parameters
        ----------
        n : array_like of int
            Sample sizes, at least 1.
        order : {1, 2, 3}, optional
            Number of terms; by default that of the result.

        Returns
        -------
        float or ndarray
            Negative values are not cut off; `status_at` says what limits them.

        Raises
        ------
        ValueError
            If a size is no integer of at least 1, or the third coefficient is asked for and not known.
        """
        return self._series((self.c1, self.c2, self.c3), n, order)

    def optimism(self, n: ArrayLike, order: int | None = None) -> Any:
        """Return the series of the optimism, nats, as `risk`."""
        return self._series((self.optimism1, self.optimism2, self.optimism3), n, order)

    def reverse(self, n: ArrayLike, order: int | None = None) -> Any:
        """Return the series of the reverse risk E KL(estimate || projection), nats, as `risk`."""
        return self._series((self.reverse1, self.reverse2, self.reverse3), n, order)

    def status_at(self, n: int, order: int | None = None) -> ProjectionStatus:
        """Return the most severe limit of the series of the risk at a sample size."""
        size = integer("n", n, 1)
        found = [self.status]
        if self.risk(size, order) < 0.0:
            found.append(ProjectionStatus.NEGATIVE_RISK)
        if abs(self.c2) / size**2 > LARGE_SECOND * self.c1 / size:
            found.append(ProjectionStatus.SMALL_SAMPLE)
        return ProjectionStatus.worst(found)

    def required_n(self, tol: float, order: int | None = None) -> int | None:
        """Return the smallest sample size from which on the series of the risk is at most `tol`.

        Parameters
        ----------
        tol : float
            Bound on the risk, nats, at least 1e-200.
        order : {1, 2, 3}, optional
            Number of terms; by default that of the result.

        Returns
        -------
        int or None
            None if the series is at most `tol` at every size (`ProjectionStatus.NO_ROOT`): it then says nothing. To
            second order that is where ``c2 < -c1^2 / (4 tol)``.
        """
        bound = real("tol", tol, _LEAST, math.inf, closed="left")
        terms = self._terms((self.c1, self.c2, self.c3), order)
        return 1 if self.p == 0 else smallest_size(terms, bound)

    def _series(self, coefficients: tuple[float, float, float | None], n: ArrayLike, order: int | None) -> Any:
        terms = self._terms(coefficients, order)
        sizes = whole_sizes(n)
        x = 1.0 / sizes
        total = x * np.polynomial.polynomial.polyval(x, terms)
        return float(total) if sizes.ndim == 0 else total

    def _terms(self, coefficients: tuple[float, float, float | None], order: int | None) -> list[float]:
        count = self.order if order is None else integer("order", order, 1, 3)
        third = coefficients[2]
        if count < 3:
            return list(coefficients[:2])[:count]
        if third is None:
            raise fail("order", order, f"1 or 2: no third coefficient is known for {self.family} here")
        return [*coefficients[:2], third]

    def _lines(self) -> Iterator[tuple[str, str]]:
        yield "family", f"{self.family}, p = {self.p}"
        yield "truth", "in the model" if self.well_specified else f"outside the model{_of(self.n)}"
        yield "theta*", " ".join(format_number(float(x) + 0.0) for x in self.theta_star[:8]) + (" ..." * (self.p > 8))
        for name, terms in (
            ("risk", (self.c1, self.c2, self.c3)),
            ("reverse risk", (self.reverse1, self.reverse2, self.reverse3)),
            ("optimism", (self.optimism1, self.optimism2, self.optimism3)),
        ):
            known = [f"{format_number(c)}/n{f'^{k}' if k > 1 else ''}" for k, c in enumerate(terms, 1) if c is not None]
            yield name, " + ".join(known).replace("+ -", "- ")
        if self.c1_error is not None and self.c2_error is not None:
            errors = format_number(self.c1_error, 2), format_number(self.c2_error, 2)
            yield "Monte Carlo error", f"c1 {errors[0]}, c2 {errors[1]}"
        names = ("t0", "t1", "t21", "t22", "t31")
        yield "contractions", ", ".join(f"{k} {format_number(getattr(self.contractions, k))}" for k in names)
        yield "t0/p", format_number(self.contractions.t0 / self.p) if self.p else "1"

    def _columns(self) -> Mapping[str, Any]:
        names = (
            "family",
            "p",
            "c1",
            "c2",
            "c3",
            "optimism1",
            "optimism2",
            "optimism3",
            "reverse1",
            "reverse2",
            "reverse3",
            "c1_error",
            "c2_error",
        )
        return {
            **{name: [getattr(self, name)] for name in names},
            **{k: [v] for k, v in self.contractions._asdict().items()},
        }


def whole_sizes(n: ArrayLike) -> Array:
    """Return sample sizes as floats; a ValueError unless they are integers of at least 1."""
    sizes = numeric("n", n)
    bad = ~((sizes >= 1.0) & (sizes == np.floor(sizes)))
    if bad.any():
        raise fail("n", float(sizes[bad].flat[0]), "integers of at least 1")
    return sizes


def _of(n: int | None) -> str:
    return "" if n is None else f", moments of a sample of {n}"

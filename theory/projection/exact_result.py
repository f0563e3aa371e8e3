"""What the exact risk of the maximum likelihood estimator gives."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from asymptopia.theory._core.result import Result
from asymptopia.theory.projection.status import ProjectionStatus

Floats = float | NDArray[np.float64]
Sizes = int | NDArray[np.int64]

_SHOWN = 4


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ExactRisk(Result):
    """Exact risk E KL(theta* || theta_hat) at given sizes; arrays have the shape of `n`."""

    title: ClassVar[str] = "Exact risk of the MLE"

    status: ProjectionStatus
    """The worst over the sizes."""
    family: str
    p: int
    """Number of natural parameters."""
    n: Sizes
    value: Floats
    """Risk in nats; inf where its mean does not exist."""
    prob_no_mle: Floats
    """Probability that no MLE exists."""
    nonexistence: str
    """Convention for samples without MLE: "condition", "inf" or "smooth"."""
    smoothing: float | None
    """Pseudo-count of "smooth"."""
    method: str
    """How the value was found."""

    def __post_init__(self) -> None:
        for array in (self.n, self.value, self.prob_no_mle):
            if isinstance(array, np.ndarray):
                array.setflags(write=False)

    def __float__(self) -> float:
        return float(self.value)

    def _lines(self) -> Iterator[tuple[str, str]]:
        yield "family", f"{self.family}, p = {self.p}"
        yield "n", _listed(self.n, "d")
        yield "risk", _listed(self.value, ".10g")
        yield "P(no MLE)", _listed(self.prob_no_mle, ".10g")
        yield "convention", self.nonexistence + ("" if self.smoothing is None else f", c = {self.smoothing:g}")
        yield "method", self.method

    def _columns(self) -> Mapping[str, Any]:
        size = np.size(self.n)
        names = ("n", "value", "prob_no_mle")
        return {name: np.asarray(getattr(self, name)).reshape(size).tolist() for name in names}


def _listed(value: Any, code: str) -> str:
    """Return up to four values in their order."""
    items = np.asarray(value).ravel()
    return ", ".join(format(item, code) for item in items[:_SHOWN].tolist()) + (", ..." if items.size > _SHOWN else "")

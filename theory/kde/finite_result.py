"""What the exact finite-size integrals give."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from asymptopia.theory._core.result import Result, format_number
from asymptopia.theory.kde.status import KDEStatus

Floats = float | NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FiniteKDE(Result):
    """Exact functionals of a Gaussian kernel estimate of Gaussian data; arrays have the shape of `h`."""

    title: ClassVar[str] = "Kernel density estimate at finite n and d"
    plotter: ClassVar[str] = "asymptopia.theory.kde.plots:plot_finite"

    status: KDEStatus
    """Regime at a typical query, the worst over the bandwidths; the values are exact in each."""
    log_n: float
    d: int
    sigma2: float
    x2: float | None
    """Squared norm of the query; None for the mean over queries drawn from the density."""
    h: Floats
    """Bandwidths, in the units of the data."""
    mean_log_z: Floats
    """Mean of log Z, ``Z = sum exp(-|x - y_i|^2 / (2 h^2))``, nats."""
    var_log_z: Floats
    """Variance of log Z over data sets at a fixed query (its mean over queries), nats squared."""
    var_query: Floats
    """Variance over queries of the mean of log Z, nats squared; 0 for a fixed query."""
    participation: Floats
    """Mean of Y2, the sum of the squared shares of the points in the density."""
    y3: Floats
    """Mean of the sum of the cubed shares."""
    kl: Floats
    """Mean of log(rho / rho_hat), nats; at a fixed query the mean of that ratio there, of either sign."""
    index: Floats
    """Stability index of the weights at the 1/n quantile of the squared distance, at a query of typical norm."""

    def __post_init__(self) -> None:
        for item in fields(self):
            value = getattr(self, item.name)
            if isinstance(value, np.ndarray):
                value.setflags(write=False)

    @property
    def alpha(self) -> float:
        """Return log(n) / d."""
        return self.log_n / self.d

    @property
    def mean_log_density(self) -> Any:
        """Return the mean log density of the estimate, nats."""
        return self.mean_log_z - self.log_n - 0.5 * self.d * (math.log(2 * math.pi) + 2.0 * np.log(self.h))

    @property
    def kl_per_dimension(self) -> Any:
        """Return the divergence per dimension, nats."""
        return self.kl / self.d

    @property
    def n_eff(self) -> Any:
        """Return 1 over the participation: how many points set the density at a query."""
        return 1.0 / self.participation

    @property
    def h_opt(self) -> float:
        """Return the bandwidth of least mean divergence at this n and d, as `optimal_bandwidth`."""
        from asymptopia.theory.kde.optimum import optimal_bandwidth

        return optimal_bandwidth(log_n=self.log_n, d=self.d, sigma2=self.sigma2).h

    def _lines(self) -> Iterator[tuple[str, str]]:
        yield "log n, d", f"{format_number(self.log_n)}, {self.d} (alpha = {format_number(self.alpha)})"
        yield "query", "mean over the density" if self.x2 is None else f"|x|^2 = {format_number(self.x2)}"
        names = ("h", "mean_log_z", "var_log_z", "participation", "kl", "index")
        for name in names:
            value = np.asarray(getattr(self, name))
            if value.ndim == 0:
                yield name, format_number(float(value))
            elif value.size:
                yield name, f"{format_number(float(value.min()))} to {format_number(float(value.max()))}"

    def _columns(self) -> Mapping[str, Any]:
        size = np.size(self.h)
        names = ("h", "mean_log_z", "var_log_z", "var_query", "participation", "y3", "kl", "index")
        return {name: np.asarray(getattr(self, name)).reshape(size).tolist() for name in names}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class OptimalBandwidth(Result):
    """Bandwidth of least mean divergence at finite n and d."""

    title: ClassVar[str] = "KL-optimal bandwidth at finite n and d"

    status: KDEStatus
    log_n: float
    d: int
    sigma2: float
    h: float
    """The optimum, in the units of the data."""
    h_asymptotic: float
    """Its leading order in d at this log(n) / d."""
    kl: float
    """Mean divergence there, nats."""
    participation: float
    """Mean of the sum of the squared shares there."""
    index: float
    """Stability index there, at a query of typical norm."""

    @property
    def kl_per_dimension(self) -> float:
        """Return the divergence per dimension, nats."""
        return self.kl / self.d

    def __float__(self) -> float:
        return self.h

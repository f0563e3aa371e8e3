"""Families of one natural parameter, given by their first four cumulants."""

from __future__ import annotations

import abc
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from asymptopia.theory.projection.families.protocol import ExponentialFamily

Array = NDArray[np.float64]


class OneParameter(ExponentialFamily):
    """A family with p = 1: a subclass gives the log-partition function and four cumulants of the scalar theta."""

    __slots__ = ()

    @property
    def dim(self) -> int:
        """Number p of natural parameters."""
        return 1

    @abc.abstractmethod
    def _potential(self, theta: float) -> float:
        """Return the log-partition function."""

    @abc.abstractmethod
    def _cumulants(self, theta: float) -> tuple[float, float, float, float]:
        """Return the cumulants of order 1 to 4."""

    def log_partition(self, theta: ArrayLike) -> float:
        """Return the log-partition function."""
        return float(self._potential(self._scalar(theta)))

    def mean(self, theta: ArrayLike) -> Array:
        """Return the mean of the statistic, (1,)."""
        return self._order(theta, 1)

    def cov(self, theta: ArrayLike) -> Array:
        """Return the variance of the statistic, (1, 1)."""
        return self._order(theta, 2)

    def third(self, theta: ArrayLike) -> Array:
        """Return the third cumulant of the statistic, (1, 1, 1)."""
        return self._order(theta, 3)

    def fourth(self, theta: ArrayLike, w: ArrayLike) -> Array:
        """Return the fourth cumulant of the statistic times w, (1, 1)."""
        result: Array = self._cumulants(self._scalar(theta))[3] * self.check_matrix(w)
        return result

    def _order(self, theta: ArrayLike, order: int) -> Array:
        value = self._cumulants(self._scalar(theta))[order - 1]
        return np.full((1,) * order, value)

    def _scalar(self, theta: ArrayLike) -> float:
        return float(self.check_theta(theta)[0])

    def _pair(self, theta_star: ArrayLike, theta_hat: ArrayLike) -> tuple[float, float]:
        """Return theta* and the difference to it."""
        star = self._scalar(theta_star)
        return star, float(self.check_theta(theta_hat, "theta_hat")[0]) - star


def column(values: Any) -> Array:
    """Return one-dimensional statistics as a column, (n, 1)."""
    result: Array = np.asarray(values, dtype=float)[:, None]
    return result

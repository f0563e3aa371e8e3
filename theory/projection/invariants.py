"""The invariants of cumulants that the risk is made of, and third moments held as rows."""

from __future__ import annotations

from typing import NamedTuple

from asymptopia.theory._core.validation import Array


class Rows(NamedTuple):
    """A third cumulant held as the rows whose third moment it is.

    ``kappa = scale * sum_a w_a r_a r_a r_a`` with ``w = 1/N`` where `weights` is None. Data have the unbiased scale
    ``N^2 / ((N - 1)(N - 2))``.
    """

    rows: Array
    """Statistic less its mean, shape (N, p)."""
    weights: Array | None = None
    """Weights of the rows, shape (N,), >= 0 and summing to 1."""
    scale: float = 1.0


class Contractions(NamedTuple):
    """Invariants of the cumulants of the statistic under the model (G, T, Q) and under the truth (Sigma, kappa).

    Indices are raised with the inverse of G, and ``W = G^-1 Sigma G^-1``. Each is a pure number, the same for every
    affine change of the statistic.
    """

    t0: float
    """tr(G^-1 Sigma)."""
    t1: float
    """T kappa, contracted over all three indices."""
    t21: float
    """``|v|^2`` with ``v_u = T_iku W^ik``."""
    t22: float
    """T_iku T_mov W^im W^ko G^uv."""
    t31: float
    """Q_ikmo W^ik W^mo."""
    F: float
    """T_ijk T^ijk, of the model itself."""
    B: float
    """``|T_ij^j|^2``, of the model itself."""
    K: float
    """Q_ij^ij, of the model itself."""

    @property
    def A2(self) -> float:  # noqa: N802 - the symbol of the formula
        """Second derivative of the dual potential with Sigma."""
        return self.t0

    @property
    def A3(self) -> float:  # noqa: N802
        """Third derivative of the dual potential with kappa."""
        return -self.t1

    @property
    def A4(self) -> float:  # noqa: N802
        """Fourth derivative of the dual potential with Sigma Sigma."""
        return -self.t31 + self.t21 + 2.0 * self.t22

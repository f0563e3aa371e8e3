"""The linear change of the statistic that makes the model's covariance the identity and the truth's diagonal."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from asymptopia.theory._core.validation import Array, fail, numeric
from asymptopia.theory.projection.errors import NotMinimalError

_EPS = float(np.finfo(float).eps)
_ASYMMETRY = 1e-8


class Whitening(NamedTuple):
    """``y = matrix (xi - eta)`` has covariance I under the model and diag(spread) under the truth."""

    matrix: Array
    """Shape (p, p); its square ``matrix.T @ matrix`` is G^-1."""
    spread: Array
    """Variances of y under the truth, shape (p,); ones where it is the model."""

    @property
    def weight(self) -> Array:
        """Return W = G^-1 Sigma G^-1."""
        result: Array = (self.matrix.T * self.spread) @ self.matrix
        return result


def whiten(cov: Array, truth_cov: Array | None = None) -> Whitening:
    """Return the whitening of the model covariance `cov` that makes `truth_cov` diagonal.

    Raises
    ------
    NotMinimalError
        If `cov` is singular to working precision; the null directions are named.
    """
    from scipy.linalg import lapack, solve_triangular

    p = cov.shape[0]
    scale = np.sqrt(np.maximum(np.diag(cov), 0.0))
    if (scale <= 0.0).any():
        raise NotMinimalError.along(np.eye(p)[scale <= 0.0])
    # a matrix of correlations: the units of the statistic must not decide what is singular
    corr = cov / scale / scale[:, None]
    factor, failed = lapack.dpotrf(corr, lower=1, clean=1)
    tolerance = 16.0 * p * _EPS
    if failed or lapack.dpocon(factor, anorm=float(np.abs(corr).sum(axis=0).max()), uplo="L")[0] <= tolerance:
        values, vectors = np.linalg.eigh(corr)
        null = values <= tolerance
        if failed:
            null[0] = True
        if null.any():
            raise NotMinimalError.along(echelon(vectors[:, null].T / scale))
    matrix = solve_triangular(factor, np.diag(1.0 / scale), lower=True)
    if truth_cov is None:
        return Whitening(matrix, np.ones(p))
    spread, axes = np.linalg.eigh(matrix @ truth_cov @ matrix.T)
    if spread[0] < -_ASYMMETRY * max(float(spread[-1]), _EPS):
        raise fail("truth_cov", f"a matrix with eigenvalue {spread[0]:.3g} after whitening", "no negative eigenvalue")
    return Whitening(axes.T @ matrix, np.maximum(spread, 0.0))


def echelon(rows: Array) -> Array:
    """Return the reduced echelon form of independent rows, with pivots as far to the right as they go.

    Each row then says which late component of the statistic is a combination of others.
    """
    work = np.array(rows, dtype=float)[:, ::-1]
    # columns in the order of the statistic, each scaled: what is rounding is small beside the largest entry
    pivot = 0
    for column in range(work.shape[1]):
        if pivot == work.shape[0]:
            break
        best = pivot + int(np.argmax(np.abs(work[pivot:, column])))
        if abs(work[best, column]) <= 1e-6 * np.abs(work[pivot:]).max():
            continue
        work[[pivot, best]] = work[[best, pivot]]
        work[pivot] /= work[pivot, column]
        others = np.arange(work.shape[0]) != pivot
        work[others] -= work[others, column][:, None] * work[pivot]
        pivot += 1
    work[np.abs(work) < 1e-10 * np.abs(work).max(axis=1, keepdims=True)] = 0.0
    result: Array = work[:, ::-1]
    return result


def covariance_matrix(name: str, value: ArrayLike, p: int | None = None) -> Array:
    """Return `value` as a symmetric (p, p) matrix.

    Raises
    ------
    TypeError, ValueError
        If it is not of finite real numbers, not square, of another size, or not symmetric.
    """
    matrix = numeric(name, value, min_ndim=2)
    if not matrix.size:
        raise fail(f"{name}.shape", matrix.shape, "(p, p) with p >= 1")
    size = matrix.shape[0] if p is None else p
    if matrix.shape != (size, size):
        raise fail(f"{name}.shape", matrix.shape, f"({size}, {size}), a covariance matrix of the statistic")
    gap = np.abs(matrix - matrix.T).max(initial=0.0)
    if gap > _ASYMMETRY * np.abs(matrix).max(initial=0.0):
        raise fail(name, f"a matrix with asymmetry {gap:.3g}", "a symmetric matrix")
    result: Array = 0.5 * (matrix + matrix.T)
    return result

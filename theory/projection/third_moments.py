"""Third cumulants of the truth: checked, and carried over by a linear map."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from asymptopia.theory._core.validation import Array, fail, numeric, real
from asymptopia.theory.projection.invariants import Rows
from asymptopia.theory.projection.whitening import covariance_matrix

Third = ArrayLike | Rows


def truth_moments(truth_cov: ArrayLike | None, truth_third: Third | None, p: int) -> tuple[Array | None, Any]:
    """Return the truth's second and third cumulants, checked; (None, None) where it is the model."""
    if (truth_cov is None) != (truth_third is None):
        given, missing = ("truth_cov", "truth_third") if truth_third is None else ("truth_third", "truth_cov")
        message = f"{given} is given without {missing}; give both, or none where the truth is the model"
        raise ValueError(message)
    if truth_cov is None or truth_third is None:
        return None, None
    sigma = covariance_matrix("truth_cov", truth_cov, p)
    if not isinstance(truth_third, Rows):
        return sigma, cube("truth_third", truth_third, p)
    rows = numeric("truth_third.rows", truth_third.rows, min_ndim=2)
    if rows.shape[1:] != (p,):
        raise fail("truth_third.rows.shape", rows.shape, f"(N, {p})")
    weights = truth_third.weights
    if weights is not None:
        weights = numeric("truth_third.weights", weights)
        if weights.shape != (rows.shape[0],):
            raise fail("truth_third.weights.shape", weights.shape, f"({rows.shape[0]},)")
    return sigma, Rows(rows, weights, real("truth_third.scale", truth_third.scale, closed="neither"))


def cube(name: str, value: ArrayLike, p: int) -> Array:
    """Return `value` as a (p, p, p) array, checked to be symmetric in its indices."""
    tensor = numeric(name, value, min_ndim=3)
    if tensor.shape != (p, p, p):
        raise fail(f"{name}.shape", tensor.shape, f"({p}, {p}, {p}), a third cumulant of the statistic")
    size = np.abs(tensor).max(initial=0.0)
    for i in range(p):
        # slices: no copy of the whole
        if max(np.abs(tensor[i] - tensor[i].T).max(), np.abs(tensor[i] - tensor[:, i]).max()) > 1e-8 * size:
            raise fail(name, "a tensor that changes with the order of its indices", "a symmetric tensor")
    return tensor


def turn(tensor: Array, matrix: Array) -> Array:
    """Return the tensor with all three indices carried over by `matrix`."""
    p = matrix.shape[0]
    result: Array = (matrix @ tensor.reshape(p, p * p)).reshape(p, p, p)
    for i in range(p):
        result[i] = matrix @ result[i] @ matrix.T
    return result

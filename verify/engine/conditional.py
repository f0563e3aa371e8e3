"""Conditional cell probabilities, which turn a multinomial draw into a chain of binomial ones."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray


def conditional_probabilities(p: ArrayLike) -> NDArray[np.float64]:
    """Return ``p_i / (p_i + ... + p_K)`` for every cell i.

    Parameters
    ----------
    p : array_like
        Probabilities (or weights), at least one positive, none negative, along the last axis.

    Notes
    -----
    The sums run over the cells after i, so that nothing cancels, unlike ``1 - p_1 - ... - p_(i-1)``. The last cell
    with a positive probability gets exactly 1, and so do the empty ones after it, where no trials are left.

    Examples
    --------
    >>> conditional_probabilities([0.5, 0.25, 0.25])
    array([0.5, 0.5, 1. ])
    """
    weights = np.asarray(p, dtype=np.float64)
    if weights.ndim == 0 or weights.shape[-1] == 0:
        message = f"p needs at least one cell along its last axis; its shape is {weights.shape}"
        raise ValueError(message)
    if not np.all(np.isfinite(weights)) or np.any(weights < 0.0):
        message = "p must be finite and at least 0"
        raise ValueError(message)
    # scaled, so that tiny weights do not underflow in the sums
    top = weights.max(axis=-1, keepdims=True)
    if np.any(top == 0.0):
        message = "p must have a positive entry"
        raise ValueError(message)
    scaled = weights / top
    rest = np.cumsum(scaled[..., ::-1], axis=-1)[..., ::-1]
    with np.errstate(invalid="ignore"):
        return np.where(rest > 0.0, scaled / np.where(rest > 0.0, rest, 1.0), 1.0)

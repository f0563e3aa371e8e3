"""Safeguarded root finding, vectorised, that never returns an unconverged number."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]


class RootError(ArithmeticError):
    """No root in the bracket, or no convergence. The message says where."""


def find_root(
    function: Callable[..., Any],
    low: ArrayLike,
    high: ArrayLike,
    *,
    args: tuple[ArrayLike, ...] = (),
    xatol: float = 0.0,
    xrtol: float = 4 * np.finfo(float).eps,
    maxiter: int = 400,
) -> Array:
    """Return the root of `function` in each bracket, by Chandrupatla's method.

    Parameters
    ----------
    function : callable
        ``function(x, *args)``, elementwise.
    low, high : array_like
        Ends of the brackets; the function must change sign between them, or be zero at one.
    args : tuple of array_like
        Further arguments, broadcast against the brackets.
    xatol, xrtol : float
        Tolerances of the root; the default is four units in the last place.
    maxiter : int
        Bound on the iterations.

    Raises
    ------
    RootError
        If a bracket shows no change of sign, the function is not finite there, or the bound is reached.
    """
    from scipy.optimize import elementwise

    found = elementwise.find_root(
        function,
        (np.asarray(low, dtype=float), np.asarray(high, dtype=float)),
        args=args,
        tolerances={"xatol": xatol, "xrtol": xrtol, "fatol": 0.0, "frtol": 0.0},
        maxiter=maxiter,
    )
    success = np.asarray(found.success)
    if not success.all():
        status = int(np.asarray(found.status)[~success].flat[0])
        reason = {-1: "no change of sign in the bracket", -2: "no convergence", -3: "a value that is not finite"}
        where = np.broadcast_arrays(np.asarray(low, dtype=float), np.asarray(high, dtype=float), success)
        first = [float(end[~where[2]].flat[0]) for end in where[:2]]
        message = f"{reason.get(status, 'failure')} on [{first[0]:.6g}, {first[1]:.6g}]"
        raise RootError(message)
    return np.asarray(found.x, dtype=float)

"""Is a mean in the relative interior of the convex hull of finitely many points? By linear programming."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from asymptopia.theory._core.validation import Array, fail, numeric

ALL_AT_ONCE = 4000
"""Points up to which one linear program holds them all; above, the violated ones are added by turns."""

_TOLERANCES = (1e-10, 1e-9, 1e-8, 1e-7)
_ADDED = 64
_ROUNDS = 500
_ACTIVE = (1e-9, 1e-7, 1e-5)
"""Slacks up to which a constraint of the program is taken to be met exactly, tried in this order."""
_ROUNDING = 1e-12
"""Slack of a supporting hyperplane, in units of its largest distance to a point, that rounding explains."""


class HullPosition(NamedTuple):
    """Where a mean lies with respect to the convex hull of the points."""

    interior: bool
    """Whether it is in the relative interior: a mixture of all points with positive weights."""
    direction: Array | None
    """Where it is not: u with ``u @ point <= u @ mean`` for all points, not equal for all, largest entry 1."""
    touching: int
    """How many points attain equality: those of the face that holds the mean, 0 outside the hull; all if interior."""


def hull_position(points: ArrayLike, mean: ArrayLike) -> HullPosition:
    """Return where `mean` lies with respect to the convex hull of `points`.

    Parameters
    ----------
    points : array_like, shape (N, p)
        Values of a statistic.
    mean : array_like, shape (p,)
        A mean of it.

    Returns
    -------
    HullPosition

    Raises
    ------
    TypeError, ValueError
        If an entry is not a finite number or shapes do not fit.

    Notes
    -----
    The program is: minimise the sum of ``u @ (point - mean)`` over all points, subject to each being <= 0 and to
    ``-1 <= u <= 1``. Its optimum is 0 if and only if the mean is in the relative interior. A hyperplane that the solver
    finds up to its tolerance is made exact on the constraints that it meets, and counts if then all points are on its
    side up to rounding (1e-12 of the largest distance): a mean that lies inside by more is interior.

    References
    ----------
    .. [1] S. E. Fienberg, A. Rinaldo, "Maximum likelihood estimation in log-linear models", Annals of Statistics 40(2),
       2012, theorem 3.

    Examples
    --------
    >>> hull_position([[0.0], [1.0], [2.0]], [0.5]).interior
    True
    >>> found = hull_position([[0.0], [1.0], [2.0]], [2.0])
    >>> found.interior, found.direction, found.touching
    (False, array([1.]), 1)
    """
    rows = numeric("points", points, min_ndim=2)
    centre = numeric("mean", mean, min_ndim=1)
    if rows.ndim != 2 or rows.shape[0] < 1:
        raise fail("points.shape", rows.shape, "(N, p) with N >= 1")
    if centre.shape != rows.shape[1:]:
        raise fail("mean.shape", centre.shape, f"({rows.shape[1]},), one entry a column of points")
    if rows.shape[1] == 0:
        return HullPosition(True, None, rows.shape[0])
    # columns in units of their range: the program bounds all entries of u alike
    unit = np.ptp(rows, axis=0)
    unit[unit == 0.0] = np.maximum(1.0, np.abs(rows).max(axis=0))[unit == 0.0]
    scaled, at = (rows - centre) / unit, np.zeros_like(centre)
    found = locate(at, scaled.mean(axis=0), lambda index: scaled[index], lambda u: scaled @ u, rows.shape[0])
    if found.direction is None:
        return found
    direction = found.direction / unit
    return found._replace(direction=direction / np.abs(direction).max())


def locate(
    mean: Array,
    centre: Array,
    rows: Callable[[NDArray[np.intp]], Array],
    scores: Callable[[Array], Array],
    size: int,
) -> HullPosition:
    """Return the position of `mean` among points that need not be held in memory.

    Parameters
    ----------
    mean : ndarray, shape (p,)
        In units in which each coordinate of the points has a range of about 1.
    centre : ndarray, shape (p,)
        Mean of all points with equal weights.
    rows : callable
        Points at given indices, (m, p).
    scores : callable
        ``scores(u)`` is ``u @ point`` of all points, (N,).
    size : int
        Number N of points.
    """
    if size <= ALL_AT_ONCE:
        return _judged(_program(rows(np.arange(size)) - mean, centre - mean), mean, rows, scores, np.arange(size), size)
    chosen = _extremes(mean, scores)
    for _ in range(_ROUNDS):
        u = _program(rows(chosen) - mean, centre - mean)
        if not u.any():
            break
        slack = scores(u) - u @ mean
        violated = np.flatnonzero(slack > 1e-9 * np.abs(slack).max())
        fresh = np.setdiff1d(violated[np.argsort(slack[violated])[-_ADDED:]], chosen)
        if not fresh.size:
            break
        chosen = np.union1d(chosen, fresh)
    return _judged(u, mean, rows, scores, chosen, size)


def _extremes(mean: Array, scores: Callable[[Array], Array]) -> NDArray[np.intp]:
    """Return the points that are extreme along each axis."""
    found = []
    for axis in np.eye(mean.size):
        along = scores(axis)
        found += [int(np.argmin(along)), int(np.argmax(along))]
    return np.unique(found)


def _program(shifted: Array, centre: Array) -> Array:
    """Return the solution u of the linear program, 0 where its optimum is."""
    from scipy.optimize import linprog

    # the tightest tolerance that the solver manages; what it finds is made exact and judged without any
    for tolerance in _TOLERANCES:
        found = linprog(
            centre,
            A_ub=shifted,
            b_ub=np.zeros(shifted.shape[0]),
            bounds=(-1.0, 1.0),
            method="highs",
            options={"primal_feasibility_tolerance": tolerance, "dual_feasibility_tolerance": tolerance},
        )
        if found.x is not None:
            break
    else:
        message = f"the linear program of the hull was not solved: {found.message}"
        raise RuntimeError(message)
    u: Array = np.asarray(found.x, dtype=np.float64)
    return u


def _judged(
    u: Array,
    mean: Array,
    rows: Callable[[NDArray[np.intp]], Array],
    scores: Callable[[Array], Array],
    chosen: NDArray[np.intp],
    everywhere: int,
) -> HullPosition:
    """Return the position that the solution of the program proves."""
    size = np.abs(u).max()
    if size == 0.0:
        return HullPosition(True, None, everywhere)
    u = u / size
    shifted = rows(chosen) - mean
    for active in (0.0, *_ACTIVE):
        exact = u if active == 0.0 else _on_the_face(u, shifted[np.abs(shifted @ u) <= active])
        if exact is None:
            continue
        slack = scores(exact) - exact @ mean
        depth = -slack.min()
        if depth > 1e-6 and slack.max() <= _ROUNDING * max(1.0, depth):
            touching = int(np.count_nonzero(np.abs(slack) <= _ROUNDING * max(1.0, depth)))
            return HullPosition(False, exact, touching)
    return HullPosition(True, None, everywhere)


def _on_the_face(u: Array, active: Array) -> Array | None:
    """Return `u` made orthogonal to the active constraints, largest entry 1; None if nothing is left of it."""
    if active.shape[0]:
        values, vectors = np.linalg.svd(active, full_matrices=True)[1:]
        rank = int(np.count_nonzero(values > 1e-11))
        null = vectors[rank:]
        u = null.T @ (null @ u)
    size = np.abs(u).max()
    result: Array | None = u / size if size > 1e-3 else None
    return result

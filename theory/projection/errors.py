"""Errors of exponential families."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from asymptopia.theory._core.validation import Array

_SHOWN = 3


class MLEDoesNotExistError(ValueError):
    """The mean of the statistic is not in the interior of the convex hull of its range, so that no MLE exists."""


class NotMinimalError(ValueError):
    """Some linear combination of the statistic does not vary, so that theta is not identified.

    Attributes
    ----------
    directions : ndarray, shape (k, p)
        Combinations of the statistic that are constant, in reduced echelon form: each row has a coefficient 1 that no
        other row shares, of a component that can be dropped.
    """

    def __init__(self, message: str, directions: ArrayLike = ()) -> None:
        super().__init__(message)
        rows: Array = np.atleast_2d(np.array(directions, dtype=float))
        rows.setflags(write=False)
        self.directions = rows

    @classmethod
    def along(cls, directions: Sequence[Sequence[float]] | Array, why: str = "") -> NotMinimalError:
        """Return the error that names the constant combinations `directions`, shape (k, p)."""
        rows = np.atleast_2d(np.asarray(directions, dtype=float))
        named = "; ".join(combination(row) for row in rows[:_SHOWN])
        if len(rows) > _SHOWN:
            named += f"; and {len(rows) - _SHOWN} more"
        message = (
            f"the statistic is not minimal: {named} does not vary{f' ({why})' if why else ''}; drop one component of "
            "each such combination"
        )
        return cls(message, rows)


def combination(row: Array, names: Sequence[str] | None = None) -> str:
    """Return ``1*statistic[0] - 2*statistic[3]``, at most six terms; `names` stand for ``statistic[i]`` if given."""
    kept = np.flatnonzero(np.abs(row) > 1e-9 * np.abs(row).max(initial=0.0))
    text = ""
    for count, i in enumerate(kept[:6]):
        sign = "-" if row[i] < 0 else ("+" if count else "")
        name = names[i] if names else f"statistic[{i}]"
        text += f"{' ' if count else ''}{sign}{' ' if count else ''}{abs(row[i]):.6g}*{name}"
    return text + (f" + ... ({kept.size} terms)" if kept.size > 6 else "")

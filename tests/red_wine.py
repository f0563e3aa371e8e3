"""Where the red wine data lie, for the tests that read them: 1599 rows of 12 columns, not shipped with the library."""

from __future__ import annotations

import os
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

HINT = "set ASYMPTOPIA_DATA to the folder that holds uci/winequality-red.csv"

MEANS = (
    8.319637, 0.527821, 0.270976, 2.538806, 0.087467, 15.874922, 46.467792, 0.996747, 3.311113, 0.658149, 10.422983,
    5.636023,
)  # fmt: skip
"""Column means: copies of the file with lost decimal points exist."""


class RedWine(NamedTuple):
    """Continuous columns divided by their maxima, and quality less 2."""

    x: NDArray[np.float64]
    y: NDArray[np.float64]


def red_wine() -> RedWine | None:
    """Return the data, None where the file is not at hand."""
    folder = os.environ.get("ASYMPTOPIA_DATA") or Path(__file__).parents[2] / "shared" / "data"
    path = Path(folder) / "uci" / "winequality-red.csv"
    if not path.is_file():
        return None
    rows = np.genfromtxt(path, delimiter=";", skip_header=1)
    np.testing.assert_allclose(rows.mean(axis=0), MEANS, atol=6e-7)
    return RedWine(rows[:, :11] / rows[:, :11].max(axis=0), rows[:, 11] - 2.0)

"""The permutation test that counts the search."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
from numpy.typing import NDArray

from asymptopia.theory.scorecard.binning.kernels import unit

LARGEST = 10**9
"""Rows that the hypergeometric sampler of numpy takes, exclusive."""
TIE = 1e-12
"""Relative distance within which two values are equal."""
_BLOCK = 4096
_THREADS = 4


def permutation_pvalue(
    rows: NDArray[np.int64],
    bads: int,
    observed: float,
    options: tuple[Any, ...],
    repeats: int,
    rng: np.random.Generator,
) -> float:
    """Return ``(1 + #{permuted >= observed}) / (repeats + 1)``.

    Parameters
    ----------
    rows : ndarray of int64
        Rows of each prebin, those of the cell apart last.
    bads : int
        Number of bads among them.
    observed : float
        Largest divergence for the outcomes as they are.
    options : tuple
        What the kernel ``search_all`` takes after the draws, but the floor.

    Raises
    ------
    ValueError
        If there are 1e9 rows or more.

    Notes
    -----
    Permuted outcomes give bads a prebin that are multivariate hypergeometric. All are drawn before the search, so the
    p-value does not depend on the number of threads. A permutation whose bound lies below `observed` is not searched.
    """
    if int(rows.sum()) >= LARGEST:
        message = (
            f"the table has {int(rows.sum())} rows; the permutation test takes less than 1e9: test a sample of them"
        )
        raise ValueError(message)
    floor = observed * (1 - TIE)
    kernel = unit().search_all
    sizes = rows[:-1].astype(np.float64)

    def count(draws: NDArray[np.int64]) -> int:
        return int(np.count_nonzero(kernel(sizes, float(rows[-1]), draws, *options, floor) >= floor))

    found = 0
    threads = max(1, min(_THREADS, os.cpu_count() or 1))
    with ThreadPoolExecutor(threads) as pool:
        for start in range(0, repeats, _BLOCK):
            size = min(_BLOCK, repeats - start)
            draws = rng.multivariate_hypergeometric(rows, bads, size=size, method="marginals")
            found += sum(pool.map(count, np.array_split(np.ascontiguousarray(draws), 4 * threads)))
    return (1 + found) / (repeats + 1)

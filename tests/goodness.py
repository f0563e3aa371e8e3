"""Goodness of fit of draws with a known law, as p-values."""

import numpy as np
from scipy import stats


def discrete_p_value(values, law):
    """The p-value of draws of a discrete law, with cells pooled to at least 20 expected counts."""
    low, high = int(law.ppf(1e-9)), int(law.isf(1e-9))
    edges = np.unique(law.ppf(np.linspace(0, 1, 102)[1:-1])) if high - low > 100 else np.arange(low, high)
    if len(edges) == 0:
        edges = np.array([low])
    expected = np.diff(np.concatenate([[0.0], law.cdf(edges), [1.0]])) * len(values)
    observed = np.bincount(np.searchsorted(edges, values), minlength=len(expected)).astype(float)
    # pool from the left, and the rest into the last cell
    pooled = [[0.0, 0.0]]
    for e, o in zip(expected, observed, strict=True):
        if pooled[-1][0] >= 20:
            pooled.append([0.0, 0.0])
        pooled[-1][0] += e
        pooled[-1][1] += o
    if len(pooled) > 1 and pooled[-1][0] < 20:
        e, o = pooled.pop()
        pooled[-1][0] += e
        pooled[-1][1] += o
    if len(pooled) == 1:
        return 1.0
    table = np.array(pooled)
    return stats.chisquare(table[:, 1], table[:, 0] * table[:, 1].sum() / table[:, 0].sum()).pvalue


def bits(values):
    return np.asarray(values, dtype=np.float64).view(np.int64)

"""P-values adjusted for testing many hypotheses."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from asymptopia.theory._core.validation import choice

Array = NDArray[np.float64]
ADJUSTMENTS = ("holm", "bonferroni", "bh", "by")


def adjust_pvalues(pvalues: ArrayLike, method: str | None) -> Array:
    r"""Return adjusted p-values: reject those at most alpha.

    Parameters
    ----------
    pvalues : array_like
        One axis, in [0, 1]. NaN, where nothing can be tested, stays NaN and is not counted among the hypotheses.
    method : {"holm", "bonferroni", "bh", "by"} or None
        ``"bonferroni"`` and ``"holm"`` [1]_ bound the probability of any false rejection by alpha, whatever the
        dependence; the second rejects all that the first does. ``"bh"`` [2]_ bounds the expected share of false
        rejections under independence or positive regression dependence, ``"by"`` [3]_ whatever the dependence. None
        returns the values as they are.

    Returns
    -------
    ndarray

    References
    ----------
    .. [1] S. Holm, "A simple sequentially rejective multiple test procedure", Scand. J. Statist. 6, 1979, section 3.
    .. [2] Y. Benjamini, Y. Hochberg, "Controlling the false discovery rate", J. R. Statist. Soc. B 57, 1995, eq. (1).
    .. [3] Y. Benjamini, D. Yekutieli, "The control of the false discovery rate in multiple testing under dependency",
       Ann. Statist. 29, 2001, theorem 1.3.

    Examples
    --------
    >>> adjust_pvalues([0.01, 0.04, 0.03], "holm")
    array([0.03, 0.06, 0.06])
    >>> adjust_pvalues([0.01, 0.04, 0.03], "bh")
    array([0.03, 0.04, 0.04])
    """
    if method is not None:
        choice("adjust", method, ADJUSTMENTS)
    raw = np.array(pvalues, dtype=np.float64)
    tested = ~np.isnan(raw)
    p = raw[tested]
    count = p.size
    if method is None or count == 0:
        return raw
    order = np.argsort(p, kind="stable")
    rank = np.arange(1, count + 1)
    if method == "bonferroni":
        stepped = p[order] * count
    elif method == "holm":
        stepped = np.maximum.accumulate(p[order] * (count + 1 - rank))
    else:
        factor = count * (1.0 / rank).sum() if method == "by" else count
        stepped = np.minimum.accumulate((p[order] * factor / rank)[::-1])[::-1]
    back = np.empty(count)
    back[order] = np.minimum(stepped, 1.0)
    raw[tested] = back
    return raw

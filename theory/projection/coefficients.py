"""The coefficients of the three companion risks of the maximum likelihood estimator, and sizes that a series asks."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Any, NamedTuple

import numpy as np

_APART = 1e-6
"""Relative distance to the root within which the size is looked for; rounding of a simple root is far less."""


class ClosedForm(NamedTuple):
    """Coefficients of 1/n, 1/n^2 and 1/n^3, nats; floats, or arrays where the parameters are.

    The risk is E KL(projection || estimate), the reverse risk E KL(estimate || projection) and the optimism their
    sum: the mean log likelihood an observation in the sample less that out of it. The third coefficients are None
    where no closed form is known.
    """

    c1: Any
    c2: Any
    c3: Any
    optimism1: Any
    optimism2: Any
    optimism3: Any
    reverse1: Any
    reverse2: Any
    reverse3: Any

    @classmethod
    def of(cls, risk: tuple[Any, Any, Any], reverse: tuple[Any, Any, Any]) -> ClosedForm:
        """Return the three from the risk and the reverse risk."""
        third = None if risk[2] is None or reverse[2] is None else risk[2] + reverse[2]
        return cls(*risk, risk[0] + reverse[0], risk[1] + reverse[1], third, *reverse)


def smallest_size(terms: Sequence[float], bound: float) -> int | None:
    """Return the smallest n from which on the series ``sum(c / n**k)`` is at most the bound.

    Parameters
    ----------
    terms : sequence of float
        Coefficients c of 1/n, 1/n^2, ...
    bound : float
        At least 1e-200.

    Returns
    -------
    int or None
        None where the series says nothing of it: it is at most the bound at every size, or its first coefficient is
        not positive.

    Notes
    -----
    Floats are rational numbers, and the series is compared with the bound in rational arithmetic: at any size the
    answer is exact for these coefficients.
    """
    if not any(terms):
        return 1
    if not terms[0] > 0.0:
        return None
    if bound >= sum(abs(c) for c in terms):
        return 1 if sum(terms) > 0.0 else None
    # in units of the root to first order, or of 1
    scale = max(terms[0] / bound, 1.0)
    relative, unit = [bound * scale / terms[0]], terms[0]
    for c in terms:
        relative.append(-c / unit)
        unit *= scale
    roots = np.roots(relative)
    # rounding splits a double root into a pair with a small imaginary part
    found = np.sort(roots[np.abs(roots.imag) <= _APART * np.abs(roots)].real)
    found = found[found > 0.0]
    if not found.size:
        return None
    polynomial = [Fraction(bound), *(-Fraction(c) for c in terms)]

    def fits(n: int) -> bool:
        value = Fraction(0)
        for c in polynomial:
            value = value * n + c
        return value >= 0

    last = float(found[-1])
    low = last * (1.0 - _APART)
    if found.size > 1 and found[-2] > low:
        low = 0.5 * float(found[-2] + last)
    below, above = int(scale * low), int(scale * last * (1.0 + _APART)) + 1
    if below and fits(below):
        # no whole number lies between two roots that are nearly one
        return None
    while above - below > 1:
        middle = (below + above) // 2
        below, above = (below, middle) if fits(middle) else (middle, above)
    return above

"""Tables of discrete laws for `table_draw`: laws whose parameters are the same in every replicate."""

from __future__ import annotations

import math
from collections.abc import Iterable
from fractions import Fraction

MAX_CELLS = 2**20


def guide_table(pmf: Iterable[float], first: int = 0) -> tuple[float, ...]:
    """Return the table of a discrete law, to be placed in the params of a kernel.

    Parameters
    ----------
    pmf : iterable of float
        Probabilities of the counts first, first + 1, ...; they are divided by their sum, which is 1 within 1e-9.
    first : int
        The first count.

    Returns
    -------
    tuple of float
        The number of buckets, a power of two; `first`; for every bucket, where the first sum is that a uniform in it
        may need, counted from the start of the table; and the sums of probabilities, as far as they are below 1.

    Notes
    -----
    The sums are rounded once. A uniform has 52 bits: every probability is right to 2**-52, and what adds up to less
    than 2**-53 at either end is never drawn. A law cut off at 1e-17 on both sides is as good as a whole one.

    Examples
    --------
    >>> table = guide_table([0.25, 0.75], first=3)
    >>> table[:2], table[2:18].count(18.0), table[18:]
    ((16.0, 3.0), 4, (0.25, 1.0))
    """
    masses = [float(p) for p in pmf]
    if not 1 <= len(masses) <= MAX_CELLS:
        message = f"pmf has 1 to {MAX_CELLS} probabilities, not {len(masses)}"
        raise ValueError(message)
    if not all(p >= 0.0 and math.isfinite(p) for p in masses):
        message = "pmf must be finite and at least 0"
        raise ValueError(message)
    if not abs(first) < 2**53:
        message = f"first is an integer below 2**53, not {first}"
        raise ValueError(message)
    total = sum(map(Fraction, masses), Fraction(0))
    if abs(total - 1) > Fraction(1, 10**9):
        message = f"pmf must add up to 1, not {float(total)}"
        raise ValueError(message)
    sums: list[float] = []
    reached = Fraction(0)
    for mass in masses:
        reached += Fraction(mass)
        sums.append(float(reached / total))
        # no uniform is above
        if sums[-1] >= 1.0 - 2.0**-53:
            break
    sums[-1] = 1.0
    # so many that a search rarely takes a step: a wrongly predicted branch costs more than a place in the cache
    buckets = 1 << (8 * len(sums) - 1).bit_length()
    starts: list[float] = []
    place = 0
    for bucket in range(buckets):
        # exact, and no uniform of the bucket is at or below it
        while sums[place] <= bucket / buckets:
            place += 1
        starts.append(float(2 + buckets + place))
    return (float(buckets), float(first), *starts, *sums)

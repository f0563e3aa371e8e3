"""The loop around a replicate: run a range of replicates and add powers of their statistics to integers.

The functions here are device sources like those in `asymptopia.verify.device`, but for the arrays they work on.
"""

from __future__ import annotations

from collections.abc import MutableSequence, Sequence

from asymptopia.verify.device.primitives import float_bits

# replicates whose statistics stay in the first-level cache between being drawn and being added
BLOCK = 256
SCALES = 14
# adding and subtracting it rounds to the nearest integer; the low bits of the sum are that integer
ROUNDING = 6755399441055744.0
ROUNDING_BITS = 0x4338000000000000

_MASK = "0xFFFFFFFF"

_TEMPLATE = """
_replicate = {replicate}

{decorator}def _run(k0, k1, rep0, count, params, scales, acc):
    x = _scratch({size})
    first = 0
    while first < count:
        m = min(count - first, {block})
        for i in range(m):
            r = rep0 + first + i
            {targets} = _replicate((k0 & {mask}, k1 & {mask}, r & {mask}, (r >> 32) & {mask}, 0), params)
{stores}
        if usable_values(x, scales, m, {statistics}) < {statistics} * m:
            refuse_replicates(x, scales, acc, m, {statistics})
        for s in range({statistics}):
            accumulate_block(x, scales, acc, m, s)
        first += m
"""

# replicates attempted without a branch, which vectorises, and then those drawn in full that were not accepted
_FIRST_TEMPLATE = """
_replicate = {replicate}
_first = {attempt}

{decorator}def _run(k0, k1, rep0, count, params, scales, acc):
    x = _scratch({size})
    first = 0
    while first < count:
        m = min(count - first, {block})
        for i in range(m):
            r = rep0 + first + i
            {targets}, accepted = _first((k0 & {mask}, k1 & {mask}, r & {mask}, (r >> 32) & {mask}, 0), params)
{stores}
            x[{flags} + i] = accepted * 1.0
        left = refused_attempts(x, m, {flags})
        for n in range(left):
            i = int(x[{flags} + n])
            r = rep0 + first + i
            {targets} = _replicate((k0 & {mask}, k1 & {mask}, r & {mask}, (r >> 32) & {mask}, 0), params)
{stores}
        if usable_values(x, scales, m, {statistics}) < {statistics} * m:
            refuse_replicates(x, scales, acc, m, {statistics})
        for s in range({statistics}):
            accumulate_block(x, scales, acc, m, s)
        first += m
"""

_LOOP_TEMPLATE = """
{decorator}def _loop(k0, k1, count, params, x):
    for i in range(count):
        {targets} = {replicate}((k0 & {mask}, k1 & {mask}, i & {mask}, (i >> 32) & {mask}, 0), params)
"""

_FIRST_LOOP_TEMPLATE = """
_replicate = {replicate}
_first = {attempt}

{decorator}def _loop(k0, k1, count, params, out):
    x = _scratch({size})
    first = 0
    while first < count:
        m = min(count - first, {block})
        for i in range(m):
            r = first + i
            {targets}, accepted = _first((k0 & {mask}, k1 & {mask}, r & {mask}, (r >> 32) & {mask}, 0), params)
{stores}
            x[{flags} + i] = accepted * 1.0
        left = refused_attempts(x, m, {flags})
        for n in range(left):
            i = int(x[{flags} + n])
            r = first + i
            {targets} = _replicate((k0 & {mask}, k1 & {mask}, r & {mask}, (r >> 32) & {mask}, 0), params)
{stores}
        for i in range(m):
            for s in range({statistics}):
                out[{statistics} * (first + i) + s] = x[{block} * s + i]
        first += m
"""


def driver_source(replicate: str, statistics: int, decorator: str = "", attempt: str = "") -> str:
    """Return the text of ``_run`` around the function named `replicate` with this many statistics.

    Parameters
    ----------
    replicate, statistics
        The function and how many values it returns.
    decorator : str
        What precedes ``def``.
    attempt : str
        Name of the function that attempts a replicate, if there is one.
    """
    return _fill(_FIRST_TEMPLATE if attempt else _TEMPLATE, replicate, statistics, decorator, attempt)


def loop_source(replicate: str, statistics: int, decorator: str = "", attempt: str = "") -> str:
    """Return the text of ``_loop``, which draws replicates and adds nothing up: what is looked at for vectorisation.

    The parameters are those of `driver_source`.
    """
    if attempt:
        return _fill(_FIRST_LOOP_TEMPLATE, replicate, statistics, decorator, attempt)
    return _LOOP_TEMPLATE.format(
        replicate=replicate,
        decorator=decorator,
        mask=_MASK,
        targets=", ".join(f"x[{statistics} * i + {s}]" for s in range(statistics)),
    )


def _fill(template: str, replicate: str, statistics: int, decorator: str, attempt: str) -> str:
    return template.format(
        replicate=replicate,
        attempt=attempt,
        decorator=decorator,
        block=BLOCK,
        mask=_MASK,
        size=BLOCK * (statistics + (1 if attempt else 0)),
        flags=BLOCK * statistics,
        statistics=statistics,
        targets=", ".join(f"v{s}" for s in range(statistics)),
        stores="\n".join(f"            x[{BLOCK * s} + i] = v{s} * 1.0" for s in range(statistics)),
    )


def refused_attempts(x: MutableSequence[float], m: int, flags: int) -> int:
    """Return how many of the m flags from x[flags] on are not 1, and put the places of these first, in order.

    Listed before any of them is drawn in full: calls that follow each other without a branch overlap.
    """
    left = 0
    for i in range(m):
        accepted = x[flags + i]
        # at or before the flag just read
        x[flags + left] = i * 1.0
        left += 0 if accepted == 1.0 else 1
    return left


_PLAIN_TEMPLATE = """
_replicate = {replicate}

{decorator}def _run(k0, k1, rep0, count, params, scales, acc):
    x = _scratch({size})
    for i in range(count):
        r = rep0 + i
        {targets} = _replicate((k0 & {mask}, k1 & {mask}, r & {mask}, (r >> 32) & {mask}, 0), params)
{stores}
        {each}
"""


def plain_source(replicate: str, statistics: int, each: str, decorator: str = "") -> str:
    """Return the text of a ``_run`` that does `each`, a statement, with the statistics ``x`` of every replicate."""
    return _PLAIN_TEMPLATE.format(
        replicate=replicate,
        decorator=decorator,
        size=statistics,
        mask="0xFFFFFFFF",
        targets=", ".join(f"v{s}" for s in range(statistics)),
        stores="\n".join(f"        x[{s}] = v{s} * 1.0" for s in range(statistics)),
        each=each,
    )


def usable_values(x: Sequence[float], scales: Sequence[float], m: int, statistics: int) -> int:
    """Return how many values of a block are within the bound of their pivot: all of them, nearly always.

    Row s of `x` holds statistic s of m replicates.
    """
    usable = 0
    for s in range(statistics):
        row = BLOCK * s
        pivot = scales[SCALES * s]
        bound = scales[SCALES * s + 1]
        for i in range(m):
            usable += 1 if abs(x[row + i] - pivot) <= bound else 0
    return usable


def refuse_replicates(
    x: MutableSequence[float], scales: Sequence[float], acc: MutableSequence[int], m: int, statistics: int
) -> None:
    """Count the replicates that are not finite or out of bounds, and move them to the pivots, which adds nothing."""
    for i in range(m):
        finite = True
        inside = True
        for s in range(statistics):
            v = x[BLOCK * s + i]
            # inf - inf and nan - nan are nan
            finite = finite and v - v == 0.0
            inside = inside and abs(v - scales[SCALES * s]) <= scales[SCALES * s + 1]
        if not inside:
            acc[8 * statistics + (1 if finite else 0)] += 1
            for s in range(statistics):
                x[BLOCK * s + i] = scales[SCALES * s]


def accumulate_block(x: Sequence[float], scales: Sequence[float], acc: MutableSequence[int], m: int, s: int) -> None:
    """Add the first four powers of m deviations of statistic s from its pivot to the accumulators, as two limbs each.

    A power y becomes the integers q1 = rint(y up1) and q2 = rint((y - q1 down1) up2).
    """
    row = BLOCK * s
    base = SCALES * s + 2
    pivot = scales[SCALES * s]
    up1, down1, fine1 = scales[base], scales[base + 1], scales[base + 2]
    up2, down2, fine2 = scales[base + 3], scales[base + 4], scales[base + 5]
    up3, down3, fine3 = scales[base + 6], scales[base + 7], scales[base + 8]
    up4, down4, fine4 = scales[base + 9], scales[base + 10], scales[base + 11]
    a1 = b1 = a2 = b2 = a3 = b3 = a4 = b4 = 0
    for i in range(m):
        y1 = x[row + i] - pivot
        y2 = y1 * y1
        y3 = y2 * y1
        y4 = y2 * y2
        t1 = y1 * up1 + ROUNDING
        t2 = y2 * up2 + ROUNDING
        t3 = y3 * up3 + ROUNDING
        t4 = y4 * up4 + ROUNDING
        a1 += float_bits(t1) - ROUNDING_BITS
        a2 += float_bits(t2) - ROUNDING_BITS
        a3 += float_bits(t3) - ROUNDING_BITS
        a4 += float_bits(t4) - ROUNDING_BITS
        # exact: what is left of y below the last bit of the first limb
        t1 = (y1 - (t1 - ROUNDING) * down1) * fine1 + ROUNDING
        t2 = (y2 - (t2 - ROUNDING) * down2) * fine2 + ROUNDING
        t3 = (y3 - (t3 - ROUNDING) * down3) * fine3 + ROUNDING
        t4 = (y4 - (t4 - ROUNDING) * down4) * fine4 + ROUNDING
        b1 += float_bits(t1) - ROUNDING_BITS
        b2 += float_bits(t2) - ROUNDING_BITS
        b3 += float_bits(t3) - ROUNDING_BITS
        b4 += float_bits(t4) - ROUNDING_BITS
    out = 8 * s
    acc[out] += a1
    acc[out + 1] += b1
    acc[out + 2] += a2
    acc[out + 3] += b2
    acc[out + 4] += a3
    acc[out + 5] += b3
    acc[out + 6] += a4
    acc[out + 7] += b4


# what the loop calls, besides the replicate
FUNCTIONS = (usable_values, refuse_replicates, accumulate_block)
# and where there is a first attempt
FIRST_FUNCTIONS = (refused_attempts,)

"""The superaccumulator: exact sums of any doubles, for statistics that leave their fixed-point window.

The functions here are device sources like those in `asymptopia.verify.engine.driver`. A sum is an integer in units of
2**-1074, kept in 67 digits of 32 bits; each has room for 2**31 carries.
"""

from __future__ import annotations

from collections.abc import MutableSequence, Sequence

from asymptopia.verify.device.primitives import float_bits

DIGITS = 67
UNIT = -1074
LOW_WORD = 0xFFFFFFFF
FRACTION = 0xFFFFFFFFFFFFF
HIDDEN = 0x10000000000000
SPECIAL = 0x7FF


def add_exactly(acc: MutableSequence[int], base: int, y: float) -> None:
    """Add the finite double `y` to the 67 digits at `base`."""
    bits = float_bits(y)
    exponent = (bits >> 52) & SPECIAL
    mantissa = bits & FRACTION
    if exponent > 0:
        mantissa += HIDDEN
        exponent -= 1
    digit = base + (exponent >> 5)
    shift = exponent & 31
    # 53 bits moved by at most 31: two words and what is carried into a third
    low = (mantissa & LOW_WORD) << shift
    high = (mantissa >> 32 << shift) + (low >> 32)
    if bits < 0:
        acc[digit] -= low & LOW_WORD
        acc[digit + 1] -= high & LOW_WORD
        acc[digit + 2] -= high >> 32
    else:
        acc[digit] += low & LOW_WORD
        acc[digit + 1] += high & LOW_WORD
        acc[digit + 2] += high >> 32


def accumulate_wide(x: Sequence[float], scales: Sequence[float], acc: MutableSequence[int], m: int, size: int) -> None:
    """Add the first four powers of the deviations of m replicates from their pivots, `size` statistics each.

    Replicate i holds its statistics at ``x[size i]``, their pivots are the scales. A replicate with a statistic that
    is not finite, or with a fourth power that overflows, adds nothing and is counted behind the digits.
    """
    end = 4 * DIGITS * size
    for i in range(m):
        finite = True
        inside = True
        for s in range(size):
            d = x[size * i + s] - scales[s]
            y = d * d
            y = y * y
            finite = finite and d - d == 0.0
            inside = inside and y - y == 0.0
        if not finite:
            acc[end] += 1
        elif not inside:
            acc[end + 1] += 1
        else:
            for s in range(size):
                d = x[size * i + s] - scales[s]
                square = d * d
                base = 4 * DIGITS * s
                add_exactly(acc, base, d)
                add_exactly(acc, base + DIGITS, square)
                add_exactly(acc, base + 2 * DIGITS, square * d)
                add_exactly(acc, base + 3 * DIGITS, square * square)


def joined(digits: Sequence[int]) -> int:
    """Return the integer that 67 digits stand for, in units of 2**-1074."""
    return sum(int(digit) << (32 * place) for place, digit in enumerate(digits))

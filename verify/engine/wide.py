"""The superaccumulator: exact sums of any doubles, for statistics that leave their fixed-point window.

The functions here are device sources like those in `asymptopia.verify.engine.driver`. A sum is an integer in units of
2**-1074, kept in 67 digits of 32 bits; each has room for 2**31 carries.
"""

from __future__ import annotations

from collections.abc import MutableSequence, Sequence

from asymptopia.verify.device.primitives import float_bits
from asymptopia.verify.engine import cpu
from asymptopia.verify.engine.build import Kernel, Run
from asymptopia.verify.engine.collect import collect
from asymptopia.verify.engine.driver import plain_source
from asymptopia.verify.engine.exact import DIGITS
from asymptopia.verify.engine.interpret import interpret, self_contained

LOW_WORD = 0xFFFFFFFF
FRACTION = 0xFFFFFFFFFFFFF
HIDDEN = 0x10000000000000
SPECIAL = 0x7FF


def add_exactly(acc: MutableSequence[int], base: int, y: float) -> int:
    """Add the finite double `y` to the 67 digits at `base`; return 1, the number of doubles added."""
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
    return 1


def accumulate_wide(x: Sequence[float], scales: Sequence[float], acc: MutableSequence[int], m: int, size: int) -> int:
    """Add four powers of the deviations of m replicates from their pivots, `size` statistics each; return how many.

    Replicate i holds its statistics at ``x[size i]``, their pivots are the scales. A replicate with a statistic that
    is not finite, or with a fourth power that overflows, adds nothing and is counted behind the digits.
    """
    end = 4 * DIGITS * size
    added = 0
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
                added += add_exactly(acc, base, d)
                added += add_exactly(acc, base + DIGITS, square)
                added += add_exactly(acc, base + 2 * DIGITS, square * d)
                added += add_exactly(acc, base + 3 * DIGITS, square * square)
    return added


def wide_source(replicate: str, size: int, decorator: str = "") -> str:
    """Return the text of ``_run`` around the function named `replicate` with `size` statistics."""
    return plain_source(replicate, size, f"accumulate_wide(x, scales, acc, 1, {size})", decorator)


def unit_source_wide(kernel: Kernel) -> str:
    """Return the source of `kernel` with the superaccumulator, for the CPU."""
    pieces = collect([accumulate_wide, kernel.replicate])
    return cpu.unit_text(pieces, wide_source(kernel.replicate.__name__, len(kernel.statistics), cpu.RUN))


def compile_wide(kernel: Kernel, target: str = "cpu") -> Run:
    """Return ``run(k0, k1, rep0, count, params, scales, acc)`` with the superaccumulator.

    Parameters
    ----------
    kernel : Kernel
        What to compile. A first attempt makes no difference and is not used.
    target : str
        ``"python"`` interprets; any other target runs on the CPU.

    Notes
    -----
    ``scales`` holds the pivots. With S statistics, ``acc[4 * 67 * s + 67 * (k - 1)]`` and the 66 entries after it are
    the digits of the sum of ``(x_s - pivot_s)**k``; the last two entries count the replicates left out.
    """
    name, size = kernel.replicate.__name__, len(kernel.statistics)
    if target != "python" and cpu.compiler_is_on():
        return cpu.compile_text(name, unit_source_wide(kernel))
    pieces = collect([accumulate_wide, kernel.replicate])
    run: Run = interpret(name, self_contained(pieces, wide_source(name, size)))["_run"]
    return run

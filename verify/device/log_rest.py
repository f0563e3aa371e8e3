"""What is left of log(1 + t) after the first terms of its series, for acceptance tests in which nothing cancels."""

from __future__ import annotations

from asymptopia.verify.device.elementary import (
    LOG1,
    LOG2,
    LOG3,
    LOG4,
    LOG5,
    LOG6,
    LOG7,
    MANTISSA,
    SQRT_HALF_BITS,
    SQRT_HALF_SHIFT,
    TWO52_BIASED,
    TWO52_BITS,
)
from asymptopia.verify.device.primitives import bits_float, float_bits

LN2 = 0.6931471805599453


def log1p_rest(t: float) -> float:
    """Return ``log(1 + t) - (t - t**2 / 2 + t**3 / 3)``, relatively within 1e-13 while 1/2 < (1 + t)**2 < 2.

    Parameters
    ----------
    t : float
        Argument above -1. Farther out the terms are subtracted, and the error is 1e-15 of the largest one.

    Notes
    -----
    With s = t / (2 + t), log(1 + t) = 2 (s + s**3 / 3 + s**5 / 5 + ...); the terms up to s**3, less those of the
    series in t, are -s**3 t (2 y**2 + y + 2) / 6 with y = 2 + t.
    """
    # the argument of the logarithm as 2**k (1 + f)
    bits = float_bits(1.0 + t) + SQRT_HALF_SHIFT
    k = bits_float(TWO52_BITS | ((bits >> 52) & 0x7FF)) - TWO52_BIASED
    near = k == 0.0
    f = t if near else bits_float((bits & MANTISSA) + SQRT_HALF_BITS) - 1.0
    y = 2.0 + f
    s = f / y
    z = s * s
    w = z * z
    tail = w * (LOG2 + w * (LOG4 + w * LOG6) + z * (LOG3 + w * (LOG5 + w * LOG7)))
    close = s * (tail - z * f * ((2.0 * y + 1.0) * y + 2.0) * 0.16666666666666666)
    logarithm = k * LN2 + s * (2.0 + (z * LOG1 + tail))
    return close if near else logarithm - t * (1.0 - t * (0.5 - t * 0.3333333333333333))

"""Elementary functions in IEEE additions, multiplications, divisions and bit patterns: the same digits everywhere.

No libm: its last digits differ between platforms, and calls do not vectorise. Nothing branches; a condition selects
between two finished values, so that loops over these functions vectorise.
"""

from __future__ import annotations

from asymptopia.verify.device.primitives import bits_float, float_bits

INF = float("inf")
NAN = float("nan")
MIN_NORMAL = 2.0**-1022
TWO54 = 2.0**54
MANTISSA = 0x000FFFFFFFFFFFFF
# adding and subtracting it rounds to the nearest integer, and the low bits of the sum are that integer
ROUNDER = 6755399441055744.0
ROUNDER_BITS = 0x4338000000000000
INV_LN2 = 1.4426950408889634
# 42 bits, so that an exponent times it is exact
LN2_HI = 0.6931471805598903
LN2_LO = 5.497923018708371e-14

# log: bits of the double just below sqrt(1/2), and what shifts its binade to an integer exponent
SQRT_HALF_BITS = 0x3FE6A09E00000000
SQRT_HALF_SHIFT = 0x00095F6200000000
TWO52_BITS = 0x4330000000000000
TWO52_BIASED = 4503599627371519.0
LOG1 = 6.666666666666735130e-01
LOG2 = 3.999999999940941908e-01
LOG3 = 2.857142874366239149e-01
LOG4 = 2.222219843214978396e-01
LOG5 = 1.818357216161805012e-01
LOG6 = 1.531383769920937332e-01
LOG7 = 1.479819860511658591e-01

# (exp(r) - 1 - r) / r**2 on |r| <= log(2) / 2, minimax
EXP0 = 0.5000000000000012
EXP1 = 0.166666666666667
EXP2 = 0.04166666666651542
EXP3 = 0.008333333333307148
EXP4 = 0.0013888888947016199
EXP5 = 0.00019841269917509537
EXP6 = 2.480148994142492e-05
EXP7 = 2.7557216193028082e-06
EXP8 = 2.763128072396285e-07
EXP9 = 2.5117893222151122e-08

# sin(2 pi t) / t and (cos(2 pi t) - 1) / t**2 in t**2 on |t| <= 1/8, minimax; TWO_PI is 2 pi in two pieces
TWO_PI = 6.283185307179586
TWO_PI_LO = 2.4492935982947064e-16
SIN1 = -41.34170224039968
SIN2 = 81.60524927596818
SIN3 = -76.70585970876711
SIN4 = 42.058685504197925
SIN5 = -15.093829157037577
SIN6 = 3.781362462650822
COS1 = -19.739208802178716
COS2 = 64.93939402266801
COS3 = -85.45681720653997
COS4 = 60.24464133159463
COS5 = -26.42625113863256
COS6 = 7.903101545720118
COS7 = -1.697018240268862


def log_tail(f: float) -> tuple[float, float]:
    """Return ``(h, t)`` with ``log(1 + f) = f - (h - t)``, for 1 + f between sqrt(1/2) and sqrt(2).

    Notes
    -----
    With s = f / (2 + f), log(1 + f) = 2 artanh(s); the coefficients are those of fdlibm's e_log.c.
    """
    s = f / (2.0 + f)
    z = s * s
    w = z * z
    odd = z * (LOG1 + w * (LOG3 + w * (LOG5 + w * LOG7)))
    even = w * (LOG2 + w * (LOG4 + w * LOG6))
    h = 0.5 * f * f
    return h, s * (h + (odd + even))


def log_core(x: float, shift: float) -> float:
    """Return ``log(x) - (shift - TWO52_BIASED) log(2)``, within 1 ulp, for finite x >= 2**-1022 only."""
    t = float_bits(x) + SQRT_HALF_SHIFT
    k = bits_float(TWO52_BITS | ((t >> 52) & 0x7FF)) - shift
    f = bits_float((t & MANTISSA) + SQRT_HALF_BITS) - 1.0
    h, tail = log_tail(f)
    # the sum k log(2) + f is carried in two pieces: its rounding would cost half an ulp below 1
    high = k * LN2_HI
    top = high + f
    rest = (high - top) + f
    return top + (rest - (h - (tail + k * LN2_LO)))


def log(x: float) -> float:
    """Return the natural logarithm, within 1 ulp: -inf at 0, nan below 0 and for nan."""
    small = x < MIN_NORMAL
    value = log_core(x * TWO54 if small else x, TWO52_BIASED + 54.0 if small else TWO52_BIASED)
    value = x if x == INF else value
    edge = -INF if x == 0.0 else NAN
    return value if x > 0.0 else edge


def log1p(x: float) -> float:
    """Return ``log(1 + x)``, within 1 ulp also near 0: -inf at -1, nan below -1 and for nan."""
    u = 1.0 + x
    t = float_bits(u) + SQRT_HALF_SHIFT
    k = bits_float(TWO52_BITS | ((t >> 52) & 0x7FF)) - TWO52_BIASED
    f = bits_float((t & MANTISSA) + SQRT_HALF_BITS) - 1.0
    f = x if k == 0.0 else f
    # below -1 the exponent means nothing, and 2 + f must not be 0
    f = f if u > 0.0 else 0.0
    # what rounding 1 + x lost, relative to u
    lost = 1.0 - (u - x) if k > 1.0 else x - (u - 1.0)
    lost = lost / (u if u > 0.0 else 1.0)
    lost = 0.0 if k == 0.0 else lost
    h, tail = log_tail(f)
    high = k * LN2_HI
    top = high + f
    rest = (high - top) + f
    value = top + (rest - (h - (tail + (k * LN2_LO + lost))))
    value = x if x == INF else value
    edge = -INF if u == 0.0 else NAN
    return value if u > 0.0 else edge


def exp_reduced(x: float) -> tuple[float, float, int]:
    """Return ``(r, e, n + 2046)`` with exp(x) = 2**n (1 + r + e) and |e| < 0.07, for -746 <= x <= 710."""
    t = x * INV_LN2 + ROUNDER
    k = t - ROUNDER
    hi = x - k * LN2_HI
    lo = k * LN2_LO
    r = hi - lo
    z = r * r
    even = EXP0 + z * (EXP2 + z * (EXP4 + z * (EXP6 + z * EXP8)))
    odd = EXP1 + z * (EXP3 + z * (EXP5 + z * (EXP7 + z * EXP9)))
    return hi, z * (even + r * odd) - lo, float_bits(t) - (ROUNDER_BITS - 2046)


def exp(x: float) -> float:
    """Return the exponential, within 1 ulp: inf above 709.78, 0 below -745.13, subnormals rounded once."""
    y = min(x, 710.0)
    y = max(y, -746.0)
    r, e, n = exp_reduced(y)
    # the power of two in two factors: one alone would overflow or underflow before the product does
    n1 = (n >> 1) & 0x7FF
    n2 = (n - n1) & 0x7FF
    return (1.0 + (r + e)) * bits_float(n1 << 52) * bits_float(n2 << 52)


def expm1(x: float) -> float:
    """Return ``exp(x) - 1``, within 1 ulp also near 0: -1 at -inf, inf above 709.78."""
    y = min(x, 710.0)
    y = max(y, -60.0)
    r, e, n = exp_reduced(y)
    n1 = (n >> 1) & 0x7FF
    n2 = (n - n1) & 0x7FF
    first = bits_float(n1 << 52)
    # first (1 + r) - 2**-second in two pieces
    base = first - bits_float((2046 - n2) << 52)
    step = r * first
    top = base + step
    back = top - base
    rest = (base - (top - back)) + (step - back)
    return (top + (rest + e * first)) * bits_float(n2 << 52)


def sincos2pi(u: float) -> tuple[float, float]:
    """Return ``(sin(2 pi u), cos(2 pi u))``, within 1.5 ulp, for |u| < 2**50."""
    r = 4.0 * u + ROUNDER
    n = float_bits(r)
    # exact: a multiple of the last bit of u, at most 1/8
    t = u - 0.25 * (r - ROUNDER)
    z = t * t
    series = SIN1 + z * (SIN2 + z * (SIN3 + z * (SIN4 + z * (SIN5 + z * SIN6))))
    s = t * (TWO_PI + (TWO_PI_LO + z * series))
    c = 1.0 + z * (COS1 + z * (COS2 + z * (COS3 + z * (COS4 + z * (COS5 + z * (COS6 + z * COS7))))))
    odd = (n & 1) != 0
    sine = c if odd else s
    cosine = s if odd else c
    return -sine if (n & 2) != 0 else sine, -cosine if ((n + 1) & 2) != 0 else cosine

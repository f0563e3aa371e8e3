"""The logarithms of the gamma function and of factorials."""

from __future__ import annotations

from asymptopia.verify.device.elementary import INF, NAN, log

HALF_LOG_TWO_PI = 0.9189385332046728
# Stirling's series, sum of B_2k / (2k (2k - 1) x**(2k - 1))
STIRLING1 = 1.0 / 12.0
STIRLING2 = -1.0 / 360.0
STIRLING3 = 1.0 / 1260.0
STIRLING4 = -1.0 / 1680.0
STIRLING5 = 1.0 / 1188.0
STIRLING6 = -691.0 / 360360.0
STIRLING7 = 1.0 / 156.0
STIRLING8 = -3617.0 / 122400.0
# log(gamma(2 + d)) / d on |d| <= 1/2, minimax
LGAMMA = (
    0.42278433509846713,
    0.32246703342411326,
    -0.0673523010531956,
    0.02058080842777722,
    -0.007385551028937988,
    0.002890510331211403,
    -0.0011927539009198543,
    0.0005096695109570978,
    -0.00022315497869872995,
    9.945773295774687e-05,
    -4.492371699929762e-05,
    2.050514143895717e-05,
    -9.456338531809582e-06,
    4.38664006246177e-06,
    -1.9741874233821566e-06,
    9.156281694746919e-07,
    -5.812511653021083e-07,
    2.829053540395907e-07,
)
# log(k!) for k < 16
LOG_FACTORIAL = (
    0.0,
    0.0,
    0.6931471805599453,
    1.791759469228055,
    3.1780538303479458,
    4.787491742782046,
    6.579251212010101,
    8.525161361065415,
    10.60460290274525,
    12.801827480081469,
    15.104412573075516,
    17.502307845873887,
    19.987214495661885,
    22.552163853123425,
    25.19122118273868,
    27.89927138384089,
)


def stirling(x: float) -> float:
    """Return ``log(gamma(x)) - ((x - 1/2) log(x) - x + log(2 pi) / 2)`` for x >= 8, within 1e-16."""
    r = 1.0 / x
    z = r * r
    w = z * z
    even = STIRLING1 + w * (STIRLING3 + w * (STIRLING5 + w * STIRLING7))
    odd = STIRLING2 + w * (STIRLING4 + w * (STIRLING6 + w * STIRLING8))
    return r * (even + z * odd)


def log_gamma(x: float) -> float:
    """Return ``log(gamma(x))`` for x > 0, within 1e-15 of max(1, |value|) and relatively near 1 and 2.

    Notes
    -----
    Stirling's series from 8 on. Below, the recursion leads to 1.5 <= y <= 2.5, where a polynomial times (y - 2) has the
    zero at 2; the zero at 1 comes out of ``log(x)``. inf at 0 and inf, nan below 0.
    """
    if x >= 8.0:
        return x if x == INF else (x - 0.5) * (log(x) - 1.0) + (HALF_LOG_TWO_PI - 0.5 + stirling(x))
    if not x > 0.0:
        return INF if x == 0.0 else NAN
    product = 1.0
    quotient = 1.0
    y = x
    while y > 2.5:
        y = y - 1.0
        product = product * y
    while y < 1.5:
        quotient = quotient * y
        y = y + 1.0
    d = y - 2.0
    p = 0.0
    for i in range(18):
        p = p * d + LGAMMA[17 - i]
    return d * p + (log(product) - log(quotient))


def log_factorial(k: int) -> float:
    """Return ``log(k!)`` for k >= 0."""
    if k < 16:
        return LOG_FACTORIAL[k]
    return log_gamma(float(k) + 1.0)

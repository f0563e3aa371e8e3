"""The gamma function: its logarithm, its incomplete ratio, and the noncentral chi-square distribution."""

from __future__ import annotations

from asymptopia.verify.device.elementary import INF, NAN, TWO_PI, exp, expm1, log, log1p
from asymptopia.verify.device.primitives import sqrt

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
# the positive half of the Gauss-Legendre rule with 24 nodes
GAUSS_NODES = (
    0.06405689286260563,
    0.1911188674736163,
    0.3150426796961634,
    0.4337935076260451,
    0.5454214713888396,
    0.6480936519369755,
    0.7401241915785544,
    0.820001985973903,
    0.8864155270044011,
    0.9382745520027328,
    0.9747285559713095,
    0.9951872199970213,
)
GAUSS_WEIGHTS = (
    0.12793819534675216,
    0.1258374563468283,
    0.12167047292780339,
    0.1155056680537256,
    0.10744427011596563,
    0.09761865210411388,
    0.08619016153195327,
    0.0733464814110803,
    0.05929858491543678,
    0.04427743881741981,
    0.028531388628933663,
    0.0123412297999872,
)
# exp(-GAUSS_DEPTH) is where the integrands are cut off
GAUSS_DEPTH = 38.0
NEGLIGIBLE_WEIGHT = 1e-16


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
    steps = 0.0
    y = x
    while y > 2.5:
        y = y - 1.0
        product = product * y
        steps = steps + 1.0
    while y < 1.5:
        quotient = quotient * y
        y = y + 1.0
        steps = steps - 1.0
    # exact, where y itself was rounded
    d = x - (steps + 2.0)
    p = 0.0
    for i in range(18):
        p = p * d + LGAMMA[17 - i]
    return d * p + (log(product) - log(quotient))


def log_factorial(k: int) -> float:
    """Return ``log(k!)``, nan for k < 0."""
    if k < 0:
        return NAN
    if k < 16:
        return LOG_FACTORIAL[k]
    return log_gamma(float(k) + 1.0)


def poisson_mass(a: float, x: float) -> float:
    """Return ``x**a exp(-x) / gamma(a + 1)`` for a >= 0 and x > 0: the Poisson probability of a, for real a.

    The exponent is formed from the distance to the mode: the relative error is about 1e-14 + 5e-16 |x - a|.
    """
    if a < 10.0:
        return exp(a * log(x) - x - log_gamma(a + 1.0))
    d = (x - a) / a
    ratio = log1p(d) if d > -0.5 else log(x / a)
    return exp(a * (ratio - d) - stirling(a)) / sqrt(TWO_PI * a)


def gamma_integral(a: float, x: float) -> float:
    """Return the incomplete gamma integral over its smaller side, divided by ``x**a exp(-x)``, for a >= 10, x >= 1.

    Notes
    -----
    With t = x exp(-s) below the mode, the lower integral is that of exp(-a s - x (exp(-s) - 1)) over s > 0, which
    decreases; with t = x exp(s) above it, likewise the upper one. Both are cut off at the depth of rounding and
    integrated by one Gauss rule: the error is below 1e-14 for every a and x, at a fixed cost.
    """
    sign = -1.0 if x <= a else 1.0
    slope = abs(a - x)
    end = 2.0 * GAUSS_DEPTH / (slope + sqrt(slope * slope + 2.0 * GAUSS_DEPTH * x))
    for _ in range(2):
        growth = expm1(sign * end)
        end -= (slope * end + x * (growth - sign * end) - GAUSS_DEPTH) / (slope + x * sign * growth)
    total = 0.0
    for i in range(12):
        half = 0.5 * end * GAUSS_NODES[i]
        low = 0.5 * end - half
        high = 0.5 * end + half
        first = exp(-slope * low - x * (expm1(sign * low) - sign * low))
        second = exp(-slope * high - x * (expm1(sign * high) - sign * high))
        total += GAUSS_WEIGHTS[i] * (first + second)
    return 0.5 * end * total


def gamma_p(a: float, x: float) -> float:
    """Return the regularised lower incomplete gamma function P(a, x), within 1e-13 for 0 < a <= 1e5.

    Parameters
    ----------
    a : float
        Shape > 0; nan otherwise.
    x : float
        Argument; 0 gives 0 and so does a negative one, inf gives 1.
    """
    if not (a > 0.0 and x == x):
        return NAN
    if x <= 0.0:
        return 0.0
    if x == INF:
        return 1.0
    # about as many terms as the series needs; it costs less than the integral up to 250 of them
    if max(x - a, 0.0) + 9.0 * sqrt(x) < 200.0:
        term = 1.0
        total = 1.0
        b = a
        while term > 1e-17 * total:
            b += 1.0
            term *= x / b
            total += term
        return min(poisson_mass(a, x) * total, 1.0)
    b = a
    while b < 10.0:
        b += 1.0
    mass = poisson_mass(b, x)
    side = b * mass * gamma_integral(b, x)
    value = side if x <= b else 1.0 - side
    while b > a + 0.5:
        mass *= b / x
        value += mass
        b -= 1.0
    return min(value, 1.0)


def noncentral_chi2_cdf(x: float, k: float, lam: float) -> float:
    """Return the noncentral chi-square distribution function, within 1e-12 for lam <= 1e5.

    Parameters
    ----------
    x : float
        Argument; 0 and less give 0, inf gives 1.
    k : float
        Degrees of freedom > 0; nan otherwise.
    lam : float
        Noncentrality >= 0; nan otherwise.

    Notes
    -----
    The Poisson mixture of P(k/2 + j, x/2), from the largest weight outwards: P(a + 1, y) = P(a, y) - mass(a, y).
    """
    if not (k > 0.0 and lam >= 0.0 and x == x):
        return NAN
    if x <= 0.0:
        return 0.0
    if lam == 0.0 or x == INF:
        return gamma_p(0.5 * k, 0.5 * x)
    y = 0.5 * x
    rate = 0.5 * lam
    centre = float(int(rate))
    shape = 0.5 * k + centre
    weight = poisson_mass(centre, rate)
    mass = poisson_mass(shape, y)
    value = gamma_p(shape, y)
    total = weight * value
    w = weight
    d = mass
    p = value
    j = centre
    a = shape
    while w > NEGLIGIBLE_WEIGHT and p > NEGLIGIBLE_WEIGHT:
        p -= d
        j += 1.0
        a += 1.0
        w *= rate / j
        d *= y / a
        total += w * p
    w = weight
    d = mass
    p = value
    j = centre
    a = shape
    while j > 0.5 and w > NEGLIGIBLE_WEIGHT:
        d *= a / y
        p += d
        w *= j / rate
        j -= 1.0
        a -= 1.0
        total += w * p
    return min(max(total, 0.0), 1.0)

"""What is left of log(1 + t) after the first terms of its series, for acceptance tests in which nothing cancels."""

from __future__ import annotations

from asymptopia.verify.device.elementary import LOG2, LOG3, LOG4, LOG5, LOG6, LOG7, TWO52_BIASED, log_core

# sqrt(1/2) and sqrt(2) less 1, where the coefficients of log hold
REST_LOW = -0.2928
REST_HIGH = 0.4142


def log1p_rest(t: float) -> float:
    """Return ``log(1 + t) - (t - t**2 / 2 + t**3 / 3)``, relatively within 1e-11 between -0.29 and 0.41.

    Parameters
    ----------
    t : float
        Argument above -1 + 2**-1000; outside (-0.2928, 0.4142) the terms are subtracted, and the error is absolute.

    Notes
    -----
    With s = t / (2 + t), log(1 + t) = 2 (s + s**3 / 3 + s**5 / 5 + ...); the terms up to s**3, less those of the
    series in t, are -s**3 t (2 y**2 + y + 2) / 6 with y = 2 + t, and what follows is of one sign.
    """
    inside = t > REST_LOW and t < REST_HIGH
    f = t if inside else 0.0
    y = 2.0 + f
    s = f / y
    z = s * s
    w = z * z
    odd = z * (LOG3 + w * (LOG5 + w * LOG7))
    even = LOG2 + w * (LOG4 + w * LOG6)
    near = s * z * (z * (even + odd) - f * ((2.0 * y + 1.0) * y + 2.0) * 0.16666666666666666)
    far = log_core(1.0 + t, TWO52_BIASED) - t * (1.0 - t * (0.5 - t * 0.3333333333333333))
    return near if inside else far

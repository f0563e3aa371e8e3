r"""Risk coefficients of the gamma and Dirichlet families, which are made of polygamma functions.

The plain formulas cancel: in float64 that of the gamma family is wrong by 2e-6 at shape 1e5. Here large shapes go
through the series in 1/shape, and Dirichlet parameters through as many digits as they lose.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from asymptopia.theory._core.validation import Array, fail, numeric
from asymptopia.theory.projection.coefficients import ClosedForm

_SERIES_FROM = 9.0
_RISK = (
    61 / 12,
    1 / 3,
    0.0,
    -7 / 324,
    -47 / 1620,
    -1553 / 17010,
    33427 / 153090,
    82651 / 127575,
    -4059617 / 4592700,
    -8301227617 / 2273386500,
    31603919927 / 7956852750,
    72622716539 / 3182741100,
    -11725081602127 / 537087560625,
    -943543171444721 / 5585710630500,
    178440395580463 / 1196937992250,
    673825224760935549097 / 448672206394912500,
    -62620674414594838081 / 49852467377212500,
    -20446616493620779730038 / 1278715788225500625,
)
_OPTIMISM = (
    6.0,
    1 / 3,
    0.0,
    0.0,
    -26 / 405,
    -502 / 2835,
    14128 / 42525,
    76556 / 76545,
    -97066 / 76545,
    -47984984 / 9021375,
    3164728328 / 568346625,
    111707049032 / 3447969525,
    -1564063029896 / 51719542875,
    -6003885835106 / 25389593775,
    26026975216924 / 126947968875,
    1997627337891365968 / 958701295715625,
    -2118910929900821834 / 1232615951634375,
    -1342605691321052305054 / 60891228010738125,
)


def gamma(shape: ArrayLike) -> ClosedForm:
    r"""Return the coefficients for shape and rate of a gamma variable, the same at every rate.

    Parameters
    ----------
    shape : array_like
        Shape a, at least 1e-300.

    Returns
    -------
    ClosedForm
        With arrays where `shape` is one; no third coefficients.

    Notes
    -----
    With :math:`P_k = a^{k+1}\psi^{(k)}(a)`, which is of order 1 for small a,

    .. math::
        24\,a\,(P_1 - a)^3 c_2 = 22P_1^3 + a(19P_2^2 - 9P_1P_3 - 18P_1P_2 - 63P_1^2) + a^2(9P_3 + 56P_2 + 60P_1),

    and from shape 9 on 18 terms of the series :math:`61/12 + x/3 - 7x^3/324 - \dots`, x = 1/a. Relative error below
    1e-12 at every shape.

    Examples
    --------
    >>> round(gamma(2.0).c2, 12), round(gamma(1e5).c2, 9)
    (5.24646510562, 5.083336667)
    """
    a = numeric("shape", shape)
    if not (a >= 1e-300).all():
        raise fail("shape", float(a.min()), "at least 1e-300")
    flat = a.reshape(-1)
    c2, o2 = np.empty_like(flat), np.empty_like(flat)
    large = flat >= _SERIES_FROM
    for out, coefficients in ((c2, _RISK), (o2, _OPTIMISM)):
        out[large] = np.polynomial.polynomial.polyval(1.0 / flat[large], coefficients)
    c2[~large], o2[~large] = _direct(flat[~large])
    one = np.ones(a.shape)
    risk, optimism = c2.reshape(a.shape), o2.reshape(a.shape)
    form = ClosedForm(one, risk, None, 2.0 * one, optimism, None, one, optimism - risk, None)
    return form if a.ndim else ClosedForm(*(item if item is None else float(item) for item in form))


def _direct(a: Array) -> tuple[Array, Array]:
    """Return c2 and the optimism's coefficient from the polygamma functions, their poles at 0 taken out."""
    from scipy.special import polygamma

    p1 = 1.0 + a**2 * polygamma(1, 1.0 + a)
    p2 = -2.0 + a**3 * polygamma(2, 1.0 + a)
    p3 = 6.0 + a**4 * polygamma(3, 1.0 + a)
    risk = 22.0 * p1**3 + a * (19.0 * p2**2 - 9.0 * p1 * p3 - 18.0 * p1 * p2 - 63.0 * p1**2)
    risk += a**2 * (9.0 * p3 + 56.0 * p2 + 60.0 * p1)
    optimism = p1**3 + a * (p2**2 - 0.5 * p1 * p3 - p1 * p2 - 3.0 * p1**2) + a**2 * (0.5 * p3 + 3.0 * p2 + 3.0 * p1)
    scale = a * (p1 - a) ** 3
    return risk / (24.0 * scale), optimism / scale


def dirichlet(alpha: ArrayLike) -> ClosedForm:
    r"""Return the coefficients for the parameters of a Dirichlet vector; with two of them, of a beta variable.

    Parameters
    ----------
    alpha : array_like, shape (k,)
        Parameters, from 1e-100 to 1e100, at least two.

    Returns
    -------
    ClosedForm
        Without third coefficients.

    Notes
    -----
    Every cumulant of order m is diagonal less a constant: :math:`\psi^{(m-1)}(\alpha_i)` where all indices are equal,
    less :math:`\psi^{(m-1)}(\sum\alpha)`. The inverse of G is diagonal plus rank one, so that F, B and K are sums over
    k terms. They cancel where the parameters are large; the sums carry that many digits more.

    Examples
    --------
    >>> round(dirichlet([1.0, 1.0]).c2, 12)
    5.397522101222
    """
    a = numeric("alpha", alpha, min_ndim=1)
    if a.ndim != 1 or a.size < 2:
        raise fail("alpha.shape", a.shape, "(k,) with k >= 2")
    if not ((a >= 1e-100) & (a <= 1e100)).all():
        raise fail("alpha", float(a.min() if a.min() < 1e-100 else a.max()), "numbers from 1e-100 to 1e100")
    f, b, k = _dirichlet_invariants(a)
    half = a.size / 2.0
    risk, reverse = (10.0 * f + 9.0 * b - 9.0 * k) / 24.0, (2.0 * f + 3.0 * b - 3.0 * k) / 24.0
    return ClosedForm.of((half, float(risk), None), (half, float(reverse), None))


def _dirichlet_invariants(alpha: Array) -> tuple[Any, Any, Any]:
    """Return F, B and K as numbers of mpmath."""
    import mpmath as mp

    spread = math.log10(float(alpha.max()) + 1.0) + math.log10(float(alpha.max() / alpha.min()))
    with mp.workdps(30 + math.ceil(4.0 * spread)):
        values, total = [mp.mpf(float(x)) for x in alpha], mp.fsum(float(x) for x in alpha)
        kinds = {x: [mp.psi(m, x) for m in (1, 2, 3)] for x in set(values)}
        second, third, fourth = ([kinds[x][m] for x in values] for m in range(3))
        c2, c3, c4 = (mp.psi(m, total) for m in (1, 2, 3))
        own = [1 / x for x in second]
        shared = c2 / (1 - c2 * mp.fsum(own))
        # the inverse is diag(own) + shared own own'
        sums = [x * (1 + shared * mp.fsum(own)) for x in own]
        whole = mp.fsum(sums)
        cubes = [t * x**3 for t, x in zip(third, own, strict=True)]
        diagonal = [x + shared * x * x for x in own]
        f = shared**3 * mp.fsum(cubes) ** 2
        f += mp.fsum(t * t * (h**3 - (shared * x * x) ** 3) for t, h, x in zip(third, diagonal, own, strict=True))
        f += -2 * c3 * mp.fsum(t * h**3 for t, h in zip(third, sums, strict=True)) + c3**2 * whole**3
        v = [t * h - c3 * whole for t, h in zip(third, diagonal, strict=True)]
        b = mp.fsum(x * u * u for x, u in zip(own, v, strict=True))
        b += shared * mp.fsum(x * u for x, u in zip(own, v, strict=True)) ** 2
        k = mp.fsum(t * h * h for t, h in zip(fourth, diagonal, strict=True)) - c4 * whole**2
        return +f, +b, +k

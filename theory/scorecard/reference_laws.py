"""Reference chi-square laws, intervals and powers for Information Value and PSI in multiple precision."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import mpmath as mp

from asymptopia.theory.scorecard.reference import bias, delta_variance, jeffreys, precise, shares


@precise
def chi2_sf(t: Any, dof: Any) -> Any:
    """Return ``P(chi2_dof > t)``."""
    return mp.gammainc(mp.mpf(dof) / 2, mp.mpf(t) / 2, mp.inf, regularized=True)


@precise
def chi2_log_sf(t: Any, dof: Any) -> Any:
    """Return ``log P(chi2_dof > t)``, from the complement where that is the smaller tail."""
    below = mp.gammainc(mp.mpf(dof) / 2, 0, mp.mpf(t) / 2, regularized=True)
    if below < 0.5:
        return mp.log1p(-below)
    return mp.log(mp.gammainc(mp.mpf(dof) / 2, mp.mpf(t) / 2, mp.inf, regularized=True))


@precise
def chi2_isf(alpha: Any, dof: Any) -> Any:
    """Return the t with ``P(chi2_dof > t) = alpha``, by bisection and then by the secant method."""
    alpha, dof = mp.mpf(alpha), mp.mpf(dof)

    def excess(t: Any) -> Any:
        return mp.log(mp.gammainc(dof / 2, t / 2, mp.inf, regularized=True)) - mp.log(alpha)

    low, high = mp.mpf(0), dof + 1
    while excess(high) > 0:
        low, high = high, 2 * high
    for _ in range(12):
        middle = (low + high) / 2
        low, high = (middle, high) if excess(middle) > 0 else (low, middle)
    return mp.findroot(excess, (low, high), solver="anderson", maxsteps=100)


def _cdf_and_slope(x: Any, dof: Any, noncentrality: Any) -> tuple[Any, Any]:
    r"""Return the noncentral chi-square cdf and minus its derivative by the noncentrality, from the Poisson mixture.

    With Poisson weights w_j and :math:`d_k = y^{a+k} e^{-y} / \Gamma(a+k+1)`, y = x/2, a = dof/2, the mixture
    :math:`\sum_j w_j P(a+j, y)` is :math:`\sum_k d_k \sum_{j \le k} w_j`: all terms are positive, so that the tail
    keeps its digits.
    """
    y, a, rate = mp.mpf(x) / 2, mp.mpf(dof) / 2, mp.mpf(noncentrality) / 2
    if y == 0:
        return mp.mpf(0), mp.mpf(0)
    small = mp.mpf(10) ** (-mp.mp.dps - 5)
    d = y**a * mp.exp(-y) / mp.gamma(a + 1)
    w = below = mp.exp(-rate)
    total, slope, k = d * w, d * w, 0
    while True:
        k += 1
        d *= y / (a + k)
        w *= rate / k
        below += w
        step = d * below
        total += step
        slope += d * w
        # from k > 2 max(y, rate) on, steps more than halve
        if k > 2 * y and k > 2 * rate and step < small * total:
            return total, slope / 2


@precise
def ncx2_cdf(x: Any, dof: Any, noncentrality: Any) -> Any:
    """Return ``P(chi2'_dof(noncentrality) <= x)``."""
    return _cdf_and_slope(x, dof, noncentrality)[0]


@precise
def ncx2_sf(x: Any, dof: Any, noncentrality: Any) -> Any:
    r"""Return ``P(chi2'_dof(noncentrality) > x)``, :math:`Q(a, y) + \sum_k d_k \sum_{j > k} w_j`.

    The notation is that of `_cdf_and_slope`; the sums run downwards, so that the tail keeps its digits.
    """
    y, a, rate = mp.mpf(x) / 2, mp.mpf(dof) / 2, mp.mpf(noncentrality) / 2
    if y == 0:
        return mp.mpf(1)
    total = mp.gammainc(a, y, mp.inf, regularized=True)
    small = mp.mpf(10) ** (-mp.mp.dps - 5)
    pieces, weights = [y**a * mp.exp(-y) / mp.gamma(a + 1)], [mp.exp(-rate)]
    largest = total
    while len(weights) <= 2 * rate or 2 * weights[-1] >= small * largest:
        k = len(weights)
        weights.append(weights[-1] * rate / k)
        largest = max(largest, pieces[-1] * weights[-1])
        pieces.append(pieces[-1] * y / (a + k))
    above = mp.mpf(0)
    for piece, weight in zip(reversed(pieces[:-1]), reversed(weights[1:]), strict=True):
        above += weight
        total += piece * above
    return total


@precise
def ncx2_noncentrality(x: Any, dof: Any, cdf: Any) -> Any:
    """Return the noncentrality at which the cdf at x is `cdf`, or 0 if it is smaller even there.

    Newton's method in the square root of the noncentrality, inside a bracket; the root is put back into the law.
    """
    x, dof, cdf = mp.mpf(x), mp.mpf(dof), mp.mpf(cdf)
    working = mp.mp.dps
    if _cdf_and_slope(x, dof, 0)[0] <= cdf:
        return mp.mpf(0)
    low, high = mp.mpf(0), mp.sqrt(x) + 1
    while _cdf_and_slope(x, dof, high**2)[0] > cdf:
        low, high = high, high + 4
    root = (low + high) / 2
    for _ in range(200):
        value, slope = _cdf_and_slope(x, dof, root**2)
        if value > cdf:
            low = root
        else:
            high = root
        step = (value - cdf) / (slope * 2 * root)
        if abs(step) <= mp.mpf(10) ** (5 - working) * root:
            break
        moved = root + step
        if not low < moved < high:
            moved = (low + high) / 2
        root = moved
    if abs(_cdf_and_slope(x, dof, root**2)[0] - cdf) > mp.mpf(10) ** (10 - working):
        message = f"no noncentrality at x={x}, dof={dof}, cdf={cdf}"
        raise ArithmeticError(message)
    return root**2


@precise
def snc(x: Sequence[Any], y: Sequence[Any], level: Any, baseline: str = "random") -> dict[str, Any]:
    """Return the scaled noncentral chi-square interval and its parts.

    Parameters
    ----------
    x, y : sequence
        Counts. With ``baseline="fixed"``, y are the known shares.
    level : number
        Level of the interval.
    """
    working = mp.mp.dps
    half = mp.mpf(1) / 2
    n = mp.fsum(x)
    p = shares(x, half, dps=working)
    if baseline == "fixed":
        m, q, effective = mp.mpf(1), [mp.mpf(t) for t in y], n
    else:
        m = mp.fsum(y)
        q, effective = shares(y, half, dps=working), n * m / (n + m)
    estimate = jeffreys(p, q, dps=working) if p != q else mp.mpf(0)
    variance = delta_variance(p, q, n, m, baseline, dps=working)
    shift = bias(p, q, n, m, half, baseline, dps=working)
    if estimate == 0:
        rho, nu = mp.mpf(1), mp.mpf(len(p) - 1)
    else:
        rho = effective * variance / (4 * estimate)
        nu = max(effective * shift / rho, half)
    observed = effective * estimate / rho
    tail = (1 - mp.mpf(level)) / 2
    low = ncx2_noncentrality(observed, nu, 1 - tail, dps=working) if observed else mp.mpf(0)
    high = ncx2_noncentrality(observed, nu, tail, dps=working) if observed else mp.mpf(0)
    return {
        "estimate": estimate,
        "se": mp.sqrt(variance),
        "bias": shift,
        "n_eff": effective,
        "rho": rho,
        "nu": nu,
        "x": observed,
        "low": rho / effective * low,
        "high": rho / effective * high,
    }


@precise
def power(n: Any, m: Any, bins: int, divergence: Any, alpha: Any) -> Any:
    """Return the power of the level-`alpha` test of no shift at the given divergence."""
    effective = mp.mpf(n) * m / (mp.mpf(n) + m)
    critical = chi2_isf(alpha, bins - 1, dps=mp.mp.dps)
    return ncx2_sf(critical, bins - 1, effective * mp.mpf(divergence), dps=mp.mp.dps)


@precise
def required_noncentrality(bins: int, alpha: Any, wanted: Any) -> Any:
    """Return the noncentrality at which the level-`alpha` test has power `wanted`."""
    critical = chi2_isf(alpha, bins - 1, dps=mp.mp.dps)
    return ncx2_noncentrality(critical, bins - 1, 1 - mp.mpf(wanted), dps=mp.mp.dps)


@precise
def critical_value(n: Any, m: Any, bins: int, alpha: Any) -> Any:
    """Return the divergence that the plug-in exceeds with probability `alpha` where nothing has shifted."""
    return chi2_isf(alpha, bins - 1, dps=mp.mp.dps) * (mp.mpf(n) + m) / (mp.mpf(n) * m)


@precise
def false_alarm(threshold: Any, n: Any, m: Any, bins: int) -> Any:
    """Return the probability that the plug-in exceeds `threshold` where nothing has shifted."""
    return chi2_sf(mp.mpf(n) * m / (mp.mpf(n) + m) * mp.mpf(threshold), bins - 1, dps=mp.mp.dps)


@precise
def weighted_chi2_sf(weights: Sequence[Any], x: Any) -> Any:
    r"""Return ``P(sum of weights times chi2_1 > x)`` by numerical inversion of its Laplace transform.

    The transform of the cdf is :math:`s^{-1} \prod_j (1 + 2 w_j s)^{-1/2}`; Talbot's contour converges geometrically.
    """
    weights = [mp.mpf(w) for w in weights]
    wanted = mp.mp.dps

    def transform(s: Any) -> Any:
        # the product of principal roots, not the root of the product: the branch cut must stay on the negative axis
        return 1 / (s * mp.fprod(mp.sqrt(1 + 2 * w * s) for w in weights))

    with mp.workdps(2 * wanted):
        below = mp.invertlaplace(transform, mp.mpf(x), method="talbot", degree=2 * wanted)
        return 1 - below


@precise
def ruben_sf(weights: Sequence[Any], x: Any) -> Any:
    """Return ``P(sum of weights times chi2_1 > x)`` by Ruben's mixture of chi-squares on the smallest weight."""
    weights = [mp.mpf(w) for w in weights]
    smallest, count = min(weights), len(weights)
    c = [mp.sqrt(mp.fprod(smallest / w for w in weights))]
    g: list[Any] = [mp.mpf(0)]
    y = mp.mpf(x) / smallest / 2
    total, used = mp.mpf(0), mp.mpf(0)
    k = 0
    while True:
        used += c[k]
        total += c[k] * mp.gammainc(mp.mpf(count) / 2 + k, y, mp.inf, regularized=True)
        # the weights sum to 1 and what is left is multiplied by at most 1
        if 1 - used < mp.mpf(10) ** (-mp.mp.dps + 8):
            return total
        k += 1
        g.append(mp.fsum((1 - smallest / w) ** k for w in weights))
        c.append(mp.fsum(g[k - r] * c[r] for r in range(k)) / (2 * k))

"""Symbolic proofs about risks at finite n: their exact forms, their series, and families whose estimate may not exist.

psi(z) is log z - 1/(2z) - 1/(12 z^2) + 1/(120 z^4) - ...; x is 1/n.
"""

from __future__ import annotations

from functools import cache
from itertools import combinations, product
from typing import Any

import sympy as sp

from asymptopia.theory._core.derivation import Derivation

n, a, nu, d, x, phi, lam, mu = sp.symbols("n a nu d x phi lambda mu", positive=True)
R = sp.Rational


def series_in_x(expression: Any, order: int = 5) -> Any:
    """Return the polynomial in x = 1/n of a rational function of x or of logarithms of one, below x^order."""
    return sp.expand(sp.series(expression, x, 0, order).removeO())


def digamma_excess(place: Any) -> Any:
    """Return the asymptotic series of psi(z) - log z."""
    return -1 / (2 * place) - 1 / (12 * place**2) + 1 / (120 * place**4) - 1 / (252 * place**6)


def coefficients(expression: Any, order: int = 4) -> list[Any]:
    """Return the coefficients of 1/n, 1/n^2, ..."""
    found = series_in_x(expression, order + 1)
    return [sp.factor(found.coeff(x, k)) for k in range(1, order + 1)]


def log_determinant(index: Any) -> Any:
    """Return the series of psi((n - i)/2) + log(2/n)."""
    return sp.log(1 - index * x) + digamma_excess((1 / x - index) / 2)


def mellin(s: Any, degrees: Any) -> Any:
    """Return E C^s for C chi-squared."""
    return 2**s * sp.gamma(degrees / 2 + s) / sp.gamma(degrees / 2)


@cache
def exact() -> Derivation:
    r"""Derive the exact risks of gamma, normal and inverse Gaussian families and their series.

    .. math:: a\Bigl[\psi(na) - \log(na) + \frac1{na-1}\Bigr], \qquad
              \frac12\Bigl[\psi\Bigl(\frac{n-1}2\Bigr) + \log\frac2n\Bigr] + \frac{n+1}{2(n-3)} - \frac12, \qquad
              \text{plus } \frac{3\phi}{2n(n-3)}

    The mean of n gamma variables is gamma; the sample variance of the normal law and the shape of the inverse Gaussian
    are multiples of chi-squared and its inverse, independent of the mean. The series are
    :math:`1/2, 11/(12a), 1/a^2, 121/(120a^3)`; 1, 61/12, 17, 6353/120; and 1, 61/12 + 3 phi/2, 17 + 9 phi/2.

    References
    ----------
    Derived here; the laws of the estimates are classical.
    """
    s = sp.Symbol("s", real=True)
    # E log C and E 1/C for chi-squared and gamma
    of_log = sp.diff(mellin(s, nu), s).subs(s, 0) - (sp.digamma(nu / 2) + sp.log(2))
    of_inverse = sp.gammasimp(mellin(-1, nu)) - 1 / (nu - 2)
    total = sp.gamma(n * a + s) / sp.gamma(n * a)
    means = (sp.diff(total, s).subs(s, 0) - sp.digamma(n * a), sp.gammasimp(total.subs(s, -1)) - 1 / (n * a - 1))
    # mean 1: divergence a (log m + 1/m - 1) with m the gamma total over n a
    gamma = a * (sp.digamma(n * a) - sp.log(n * a) + n * a / (n * a - 1) - 1)
    stated_gamma = a * (sp.digamma(n * a) - sp.log(n * a) + 1 / (n * a - 1))
    # normal: (log v + (1 + m^2)/v - 1)/2 with v = C/n and E m^2 = 1/n
    log_part = sp.digamma((n - 1) / 2) + sp.log(2 / n)
    normal = (log_part + (1 + 1 / n) * n / (n - 3) - 1) / 2
    stated_normal = log_part / 2 + (n + 1) / (2 * (n - 3)) - R(1, 2)
    # inverse Gaussian: mean of the squared distance in units of the estimate, with n lambda as shape
    shape = n * lam
    inverse_mean, inverse_square = 1 / mu + 1 / shape, 1 / mu**2 + 3 / (mu * shape) + 3 / shape**2
    distance = mu * inverse_square - 2 * inverse_mean + 1 / mu
    inverse = (log_part - 1) / 2 + n / (2 * (n - 3)) * (1 + lam * distance)
    ratio = {mu: phi * lam}
    stated_inverse = log_part / 2 - R(1, 2) + n / (2 * (n - 3)) * (1 + 1 / n + 3 * phi / n**2)
    # the moments of the inverse Gaussian law from its Laplace transform of 1/X
    step = sp.Symbol("h", positive=True)
    transform = sp.sqrt(lam / (lam + 2 * step)) * sp.exp((lam - sp.sqrt(lam * (lam + 2 * step))) / mu)
    moments = (
        -sp.diff(transform, step).subs(step, 0) - (1 / mu + 1 / lam),
        sp.diff(transform, step, 2).subs(step, 0) - (1 / mu**2 + 3 / (mu * lam) + 3 / lam**2),
    )
    # with n = 1/x: log(2/n) + psi((n-1)/2)
    logs = log_determinant(sp.Integer(1))
    of_gamma = a * (digamma_excess(a / x) + x / a / (1 - x / a))
    of_normal = logs / 2 + (1 + x) / (2 * (1 - 3 * x)) - R(1, 2)
    of_inverse_gaussian = of_normal + 3 * phi * x**2 / (2 * (1 - 3 * x))
    series = {
        of_gamma: (R(1, 2), R(11, 12) / a, a**-2, R(121, 120) / a**3),
        of_normal: (1, R(61, 12), 17, R(6353, 120)),
        of_inverse_gaussian: (1, R(61, 12) + 3 * phi / 2, 17 + 9 * phi / 2),
    }
    stirling = digamma_excess(1 / x + 1) - digamma_excess(1 / x) + sp.log(1 + x) - x
    return Derivation(
        lhs=sp.Symbol("E D"),
        rhs=stated_normal,
        residuals=(
            sp.simplify(of_log),
            sp.simplify(of_inverse),
            *(sp.simplify(item) for item in means),
            *(sp.simplify(item) for item in moments),
            sp.simplify(gamma - stated_gamma),
            sp.simplify(normal - stated_normal),
            sp.simplify((inverse - stated_inverse).subs(ratio)),
            series_in_x(stirling, 8),
            *(
                sp.simplify(found - item)
                for form, wanted in series.items()
                for found, item in zip(coefficients(form), wanted, strict=False)
            ),
        ),
    )


@cache
def exact_multivariate() -> Derivation:
    r"""Derive the exact risks of the multivariate normal law and their series in every dimension d.

    .. math:: \frac12\Bigl[\sum_{i=1}^d\psi\Bigl(\frac{n-i}2\Bigr) + d\log\frac2n + \frac{d(n+1)}{n-d-2} - d\Bigr]
              = \frac{d(d+3)}{4n} + \frac{d(10d^2+51d+61)}{24n^2} + \frac{d(d+2)(d+3)(11d+23)}{24n^3} + \dots

    With the mean known, n takes the place of n - 1 and the series is
    :math:`d(d+1)/4,\; d(10d^2+21d+13)/24,\; d(d+1)(11d^2+23d+14)/24`. By Bartlett's decomposition the determinant is a
    product of chi-squared variables and a diagonal entry of the inverse is the inverse of one. The optimism is
    :math:`p/(n-d-2)` exactly.

    References
    ----------
    Derived here; Bartlett's decomposition is classical.
    """
    i = sp.Symbol("i", integer=True, positive=True)
    size = sp.Symbol("d", integer=True, positive=True)

    def summed(start: int) -> Any:
        # psi((n - i + start)/2) + log(2/n) over i
        terms = series_in_x(log_determinant(i), 4)
        shifted = terms.subs(i, i - start)
        return sum(sp.factor(sp.summation(shifted.coeff(x, k), (i, 1, size))) * x**k for k in (1, 2, 3))

    free = (summed(0) + size * (1 + x) / (1 - (size + 2) * x) - size) / 2
    known = (summed(1) + size / (1 - (size + 1) * x) - size) / 2
    wanted = {
        free: (
            size * (size + 3) / 4,
            size * (10 * size**2 + 51 * size + 61) / 24,
            size * (size + 2) * (size + 3) * (11 * size + 23) / 24,
        ),
        known: (
            size * (size + 1) / 4,
            size * (10 * size**2 + 21 * size + 13) / 24,
            size * (size + 1) * (11 * size**2 + 23 * size + 14) / 24,
        ),
    }
    # a diagonal entry of the inverse of a Wishart matrix of nu degrees is one over chi-squared of nu - d + 1
    entry = sp.gammasimp(mellin(-1, n - 1 - d + 1)) - 1 / (n - d - 2)
    # the optimism: half of tr(V^-1)(1 + m'm) + tr V + m'm - 2d, V of mean (n - 1)/n
    inverse, mean_square = n * d / (n - d - 2), d / n
    optimism = (inverse * (1 + 1 / n) + d * (n - 1) / n + mean_square - 2 * d) / 2
    exactly = d * (d + 3) / 2 / (n - d - 2)
    stated = sum(value * n ** -(k + 1) for k, value in enumerate(wanted[free]))
    return Derivation(
        lhs=sp.Symbol("E D"),
        rhs=stated,
        residuals=(
            *(
                sp.factor(found - item)
                for form, values in wanted.items()
                for found, item in zip(coefficients(form, 3), values, strict=True)
            ),
            sp.simplify(entry),
            sp.simplify(optimism - exactly),
        ),
    )


@cache
def exact_gamma() -> Derivation:
    r"""Derive the law of the estimated shape of a gamma law, and the divergence averaged over the sample mean.

    .. math:: E\,e^{-sD} = n^s\frac{\Gamma(na)}{\Gamma(na+s)}\Bigl[\frac{\Gamma(a+s/n)}{\Gamma(a)}\Bigr]^n, \qquad
              \hat a\Bigl[\psi(na) - \log(na) + \frac1{na-1}\Bigr]
              + \tfrac12 f\Bigl(\frac{\hat a}a - 1\Bigr) + s(\hat a) - s(a) - (\hat a - a)s'(a)

    D is the logarithm of the arithmetic over the geometric mean, independent of the former: the transform is the ratio
    of two moments. At :math:`s = n(\tau - a)` and :math:`D = g(t) - g(nt)` the logarithm of :math:`e^{sD}E\,e^{-sD}` is
    made of Bregman divergences of log gamma from t and nt. f(u) = u - log(1 + u), s is the remainder of Stirling's
    formula and :math:`g(x) = \log x - \psi(x)`.

    References
    ----------
    Derived here; the law of the ratio is Glaser's (1976).
    """
    s, y, hat, w, b, t, tau, size = sp.symbols("s y \\hat{a} w b t tau N", positive=True)
    # n = N: moments of the geometric mean of N variables and of their mean, a gamma variable of shape N a over N
    single = sp.integrate(y ** (a + s / size - 1) * sp.exp(-y), (y, 0, sp.oo)) / sp.gamma(a)
    mean = sp.gamma(size * a + s) / sp.gamma(size * a) / size**s
    transform = size**s * sp.gamma(size * a) / sp.gamma(size * a + s) * (sp.gamma(a + s / size) / sp.gamma(a)) ** size
    # two variables: (4 B (1 - B))^(s/2) with B a beta variable
    pair = 2**s * sp.gamma(a + s / 2) ** 2 / sp.gamma(2 * a + s) * sp.gamma(2 * a) / sp.gamma(a) ** 2
    # the divergence out of the two densities, the mean of the data w a / b
    log_x, mean_x = sp.digamma(a) - sp.log(b), a / b
    rate = hat / (w * a / b)
    own = a * sp.log(b) - sp.loggamma(a) + (a - 1) * log_x - b * mean_x
    other = hat * sp.log(rate) - sp.loggamma(hat) + (hat - 1) * log_x - rate * mean_x
    divergence = sp.expand(sp.expand_log(own - other, force=True))
    logs, inverse = sp.digamma(n * a) - sp.log(n) - sp.log(a), n * a / (n * a - 1)
    averaged = divergence.subs(sp.log(w), logs).subs(w, 1 / inverse)

    def remainder(place: Any) -> Any:
        return sp.loggamma(place) - (place - R(1, 2)) * sp.log(place) + place

    bend = sp.diff(remainder(a), a)
    excess = hat / a - 1 - sp.log(hat) + sp.log(a)
    stated = hat * (logs + 1 / (n * a - 1)) + excess / 2 + remainder(hat) - remainder(a) - (hat - a) * bend
    f, g, bent = sp.Function("f"), sp.Function("g"), sp.Function("B_s")
    short = hat * (1 / (n * a - 1) - g(n * a)) + f(hat / a - 1) / 2 + bent(a, hat)
    meant = {
        f(hat / a - 1): excess,
        g(n * a): -logs,
        bent(a, hat): remainder(hat) - remainder(a) - (hat - a) * bend,
    }

    def bregman(start: Any, end: Any) -> Any:
        return sp.loggamma(end) - sp.loggamma(start) - sp.digamma(start) * (end - start)

    gap = sp.log(t) - sp.digamma(t) - sp.log(n) - sp.log(t) + sp.digamma(n * t)
    power = n * (tau - a) * (gap + sp.log(n)) + sp.loggamma(n * a) - sp.loggamma(n * tau)
    power += n * (sp.loggamma(tau) - sp.loggamma(a))
    path = n * bregman(t, tau) - bregman(n * t, n * tau) - (n * bregman(t, a) - bregman(n * t, n * a))
    return Derivation(
        lhs=sp.Symbol("E[KL | \\hat{a}]"),
        rhs=short,
        residuals=(
            sp.simplify(single**size / mean / transform - 1),
            sp.simplify(sp.gammasimp(transform.subs(size, 2) / pair) - 1),
            sp.simplify(averaged - stated),
            sp.simplify(short.subs(meant) - stated),
            sp.simplify(sp.expand(power - path)),
        ),
    )


@cache
def existence() -> Derivation:
    r"""Derive how often a multinomial estimate does not exist, the risk given that it does, and that of added counts.

    .. math:: P(\text{no estimate}) = \sum_{S\ne\emptyset}(-1)^{|S|+1}\Bigl(1 - \sum_{i\in S}p_i\Bigr)^n, \qquad
              c_2^{(c)} = \Bigl(\frac5{12} - c + \frac{c^2}2\Bigr)S_1 - \frac k2 + \frac1{12} + ck - \frac{c^2k^2}2

    The divergence to an estimate with an empty cell is infinite, thus the plain risk is infinite at every n. A count c
    added to every of k cells changes the second coefficient; with c = 1/2 it is :math:`S_1/24 + 1/12 - k^2/8`.

    References
    ----------
    Derived here; Krichevsky and Trofimov (1981) for c = 1/2.
    """
    p = sp.symbols("p1:4", positive=True)
    cells = range(3)
    residuals: list[Any] = []
    for draws in (2, 3, 4):
        law = {
            counts: sp.factorial(draws)
            / sp.prod([sp.factorial(count) for count in counts])
            * sp.prod([p[k] ** counts[k] for k in cells])
            for counts in product(range(draws + 1), repeat=3)
            if sum(counts) == draws
        }
        full = sum(value for counts, value in law.items() if min(counts) > 0)
        whole = sum(p)
        excluded = sum(
            (-1) ** len(some) * (whole - sum(p[k] for k in some)) ** draws
            for size in range(4)
            for some in combinations(cells, size)
        )
        residuals.append(sp.expand(full - excluded))
    # P(first count is j, the others positive) for four draws, the law of which is the last above
    for j in (1, 2):
        direct = sum(value for counts, value in law.items() if counts[0] == j and min(counts) > 0)
        left = 4 - j
        rest = (p[1] + p[2]) ** left - p[1] ** left - p[2] ** left
        residuals.append(sp.expand(direct - sp.binomial(4, j) * p[0] ** j * rest))
    ratio = sp.Symbol("w", positive=True)
    residuals.append(1 / sp.limit(-p[0] * sp.log(ratio), ratio, 0))
    # count c added: -sum p_i E log(1 + u_i + delta_i) + log(1 + kc/n), delta_i = c/(n p_i), E u^2 = (1 - p)/(n p)
    c, k, q, u = sp.symbols("c k q u", positive=True)
    shift = c * x / q
    spread, skew = (1 - q) * x / q, (1 - q) * (1 - 2 * q) * x**2 / q**2
    fourth = 3 * spread**2
    expanded = sp.expand(sp.series(sp.log(1 + u + shift).subs(x, x * u**2), u, 0, 5).removeO())
    # u^2 and x are of one order: after the series every power of u left is one of x removed
    moments = {0: sp.S.One, 1: sp.S.Zero, 2: spread, 3: skew, 4: fourth}
    mean = sp.S.Zero
    for (power, order), value in sp.Poly(expanded, u, x).terms():
        mean += value * x**order * moments[power - 2 * order]
    cell = sp.expand(-q * mean)
    s1 = sp.Symbol("S_1", positive=True)

    def over_cells(value: Any) -> Any:
        # sums of q, 1 and 1/q over the cells
        value = sp.expand(value)
        return value.coeff(q, 1) + k * value.coeff(q, 0) + s1 * value.coeff(q, -1)

    normaliser = series_in_x(sp.log(1 + k * c * x), 3)
    first = over_cells(cell.coeff(x, 1)) + normaliser.coeff(x, 1)
    second = over_cells(cell.coeff(x, 2)) + normaliser.coeff(x, 2)
    stated = (R(5, 12) - c + c**2 / 2) * s1 - k / 2 + R(1, 12) + c * k - c**2 * k**2 / 2
    half = stated.subs(c, R(1, 2)) - (s1 / 24 + R(1, 12) - k**2 / 8)
    return Derivation(
        lhs=sp.Symbol("c_2"),
        rhs=stated,
        residuals=(
            *residuals,
            sp.expand(first - (k - 1) / 2),
            sp.expand(second - stated),
            sp.expand(stated.subs(c, 0) - (R(5, 12) * s1 - k / 2 + R(1, 12))),
            sp.expand(half),
        ),
    )

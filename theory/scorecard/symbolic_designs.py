"""Symbolic proofs for other designs: bin sizes fixed, pairs, weights and clusters; second order; the posterior mean.

Covariances of the 2B shares are obtained from the counts by the chain rule and multiplied out for 2 and 3 bins, the
last holding all others: lumping bins keeps binomial, multinomial and weighted totals what they are.
"""

from __future__ import annotations

from typing import Any

import sympy as sp

from asymptopia.theory._core.derivation import Derivation
from asymptopia.theory.scorecard.binsums import i, multinomial_covariance, over_bins, reduced


def _outcomes(bins: int) -> tuple[list[Any], list[Any], Any, Any]:
    """Return expected counts of both outcomes, N (1 - e) and N e in a bin, and their totals."""
    sizes, rates = _sizes(bins)
    x = [N * (1 - e) for N, e in zip(sizes, rates, strict=True)]
    y = [N * e for N, e in zip(sizes, rates, strict=True)]
    return x, y, sum(x), sum(y)


def _sizes(bins: int) -> tuple[Any, Any]:
    return sp.symbols(f"N1:{bins + 1}", positive=True), sp.symbols(f"e1:{bins + 1}", positive=True)


def share_slopes(bins: int) -> tuple[Any, Any]:
    """Return derivatives of the 2B shares by the second counts at fixed bin sizes, and by the sizes at fixed rates."""
    sizes, _ = _sizes(bins)
    second = sp.symbols(f"b1:{bins + 1}", positive=True)
    first = [size - count for size, count in zip(sizes, second, strict=True)]
    counted = sp.Matrix([*(a / sum(first) for a in first), *(b / sum(second) for b in second)])
    x, y, good, bad = _outcomes(bins)
    expected = sp.Matrix([*(a / good for a in x), *(b / bad for b in y)])
    by_count = counted.jacobian(second).subs(dict(zip(second, y, strict=True)), simultaneous=True)
    return by_count, expected.jacobian(sizes)


def _cleared(matrix: Any, bins: int) -> Any:
    """Return the rows of both samples multiplied by n squared and m squared, which leaves polynomials."""
    _, _, good, bad = _outcomes(bins)
    scale = sp.diag(*[good**2] * bins, *[bad**2] * bins)
    return (scale * matrix).applyfunc(sp.cancel)


def fixed_bins_covariance(bins: int) -> Any:
    """Return the covariance of the 2B shares at fixed bin sizes, rows and columns multiplied by n and m squared."""
    sizes, rates = _sizes(bins)
    slopes = _cleared(share_slopes(bins)[0], bins)
    return slopes * sp.diag(*(N * e * (1 - e) for N, e in zip(sizes, rates, strict=True))) * slopes.T


def fixed_bins_entry(bins: int, j: int, k: int) -> Any:
    """Return the claimed covariance of shares j and k, the first `bins` being those of the first sample."""
    counts, totals = _outcomes(bins)[:2], _outcomes(bins)[2:]
    w = [N * e * (1 - e) for N, e in zip(*_sizes(bins), strict=True)]
    (side, row), (other, column) = divmod(j, bins), divmod(k, bins)
    s, t = counts[side][row] / totals[side], counts[other][column] / totals[other]
    core = (w[row] if row == column else 0) - s * w[column] - t * w[row] + s * t * sum(w)
    return (-1) ** (side + other) * core / totals[side] / totals[other]


def fixed_bins() -> Derivation:
    r"""Derive the covariance of the shares where the bin sizes N_i are fixed: the two-sample one less a covariance.

    .. math:: \Sigma_{\text{two samples}} = \Sigma_{\text{fixed}} + K M K'

    with M the multinomial covariance of the bin sizes and K the derivatives of the shares by the sizes at fixed event
    rates. M is a covariance, so that every variance :math:`g'\Sigma g` is at most that of two samples. The entries are
    :math:`\operatorname{Cov}(\hat p_i, \hat p_j) = (\delta_{ij} w_i - p_i w_j - p_j w_i + p_i p_j W)/n^2`, likewise
    with q over m squared, and with the opposite sign over nm across the samples; w = x y/(x + y), W its sum.

    References
    ----------
    The law of total covariance over the bin sizes; derived here.
    """
    residuals: list[Any] = []
    for bins in (2, 3):
        x, y, good, bad = _outcomes(bins)
        sizes, N = sp.Matrix(_sizes(bins)[0]), sum(_sizes(bins)[0])
        squares = [good**2] * bins + [bad**2] * bins
        two = sp.diag(
            multinomial_covariance([a / good for a in x], good), multinomial_covariance([b / bad for b in y], bad)
        )
        by_size = _cleared(share_slopes(bins)[1], bins)
        # counts of one multinomial sample of size N
        between = by_size * (N * sp.diag(*sizes) - sizes * sizes.T) * by_size.T
        fixed = fixed_bins_covariance(bins)
        # the bins are exchangeable: one and two of them, in and across both samples
        for j, k in ((0, 0), (0, 1), (0, bins), (0, bins + 1), (bins, bins), (bins, bins + 1)):
            wanted, claimed = (
                sp.cancel(squares[j] * squares[k] * item) for item in (two[j, k], fixed_bins_entry(bins, j, k))
            )
            residuals.append(sp.expand(N * (wanted - fixed[j, k]) - between[j, k]))
            residuals.append(sp.expand(fixed[j, k] - claimed))
    names = [sp.MatrixSymbol(name, 2, 2) for name in (r"\Sigma_2", r"\Sigma_f", "K", "M")]
    return Derivation(lhs=names[0], rhs=names[1] + names[2] * names[3] * names[2].T, residuals=tuple(residuals))


def fixed_bins_null() -> Derivation:
    r"""Derive that with fixed bin sizes n_e Cov(p - q) is diag(pi) - pi pi' where the event rates are equal.

    It is the matrix of two samples, so that the weights of the chi-squares are 1 and the law of `null_scale` holds
    unchanged.
    """
    residuals: list[Any] = []
    N, e = sp.symbols("N e", positive=True)
    for bins in (2, 3):
        head = list(sp.symbols(f"pi1:{bins}", positive=True))
        pi = [*head, 1 - sum(head)]
        sizes, rates = _sizes(bins)
        place = {size: N * share for size, share in zip(sizes, pi, strict=True)} | dict.fromkeys(rates, e)
        fixed = sp.Matrix(2 * bins, 2 * bins, lambda j, k, bins=bins: fixed_bins_entry(bins, j, k))
        difference = sp.Matrix.hstack(sp.eye(bins), -sp.eye(bins))
        # n = N (1 - e) and m = N e
        law = N * e * (1 - e) * difference * fixed.subs(place, simultaneous=True) * difference.T
        residuals += [sp.factor(item) for item in law - multinomial_covariance(pi, 1)]
    return Derivation(
        lhs=sp.Symbol(r"n_e\operatorname{Cov}(\hat p - \hat q)"),
        rhs=sp.Symbol(r"\operatorname{diag}(\pi) - \pi\pi'"),
        residuals=tuple(residuals),
    )


def fixed_bins_bias() -> Derivation:
    r"""Derive the bias where bin sizes are fixed: half the trace of Hessian times covariance and a shift of the shares.

    .. math:: \operatorname{E}(\hat p_i) - p_i \approx (p_i W - w_i)/n^2, \quad
              \operatorname{E}(\hat q_i) - q_i \approx (q_i W - w_i)/m^2,

    with w = x y/(x + y) and W its sum. The sizes of both samples are random here, so that the shares are ratios. Proved
    by differentiating a share, and an undefined divergence of two shares, twice through the counts.
    """
    residuals: list[Any] = []
    for bins in (2, 3):
        x, y = (sp.symbols(f"{name}1:{bins + 1}", positive=True) for name in "xy")
        good, bad = sum(x), sum(y)
        second = sp.symbols(f"b1:{bins + 1}", positive=True)
        first = [a + b - c for a, b, c in zip(x, y, second, strict=True)]
        place = dict(zip(second, y, strict=True))
        w = [a * b / (a + b) for a, b in zip(x, y, strict=True)]
        for group, size, counts in ((first, good, x), (second, bad, y)):
            share = group[0] / sum(group)
            shift = sum(sp.diff(share, c, 2).subs(place, simultaneous=True) * w[k] for k, c in enumerate(second)) / 2
            claimed = (counts[0] / size * sum(w) - w[0]) / size**2
            residuals.append(sp.factor(shift - claimed))
    # the second derivative of a function of the shares by a count: curvature and slope
    t = sp.Symbol("t")
    a, b = sp.Function("a")(t), sp.Function("b")(t)
    D = sp.Function("D")(a, b)
    twice = sp.diff(D, t, 2)
    parts = (
        sp.diff(a, t) ** 2 * sp.diff(D, a, 2)
        + 2 * sp.diff(a, t) * sp.diff(b, t) * sp.diff(D, a, b)
        + sp.diff(b, t) ** 2 * sp.diff(D, b, 2)
        + sp.diff(a, t, 2) * sp.diff(D, a)
        + sp.diff(b, t, 2) * sp.diff(D, b)
    )
    residuals.append(sp.expand((twice - parts).doit()))
    p, q, w_i, W, n, m = sp.symbols("p_i q_i w_i W n m", positive=True)
    return Derivation(
        lhs=sp.Tuple(sp.Symbol(r"\operatorname{E}(\hat p_i) - p_i"), sp.Symbol(r"\operatorname{E}(\hat q_i) - q_i")),
        rhs=sp.Tuple((p * W - w_i) / n**2, (q * W - w_i) / m**2),
        residuals=tuple(residuals),
    )


def _pairs(bins: int) -> tuple[Any, list[Any], list[Any], Any]:
    """Return a table of probabilities of pairs that sum to 1, its margins and the maps from cells to margins."""
    cells = list(sp.symbols(f"t1:{bins**2}", positive=True))
    cells.append(1 - sum(cells))
    T = sp.Matrix(bins, bins, cells)
    rows = sp.Matrix(bins, bins**2, lambda j, c: int(c // bins == j))
    columns = sp.Matrix(bins, bins**2, lambda k, c: int(c % bins == k))
    p = [sum(T[j, k] for k in range(bins)) for j in range(bins)]
    q = [sum(T[j, k] for j in range(bins)) for k in range(bins)]
    return T, p, q, sp.Matrix.vstack(rows, columns)


def paired() -> Derivation:
    r"""Derive variance and null covariance where the same N items are seen twice, with joint shares T.

    .. math:: \operatorname{Var}(\hat D_f) \approx \frac1N \sum_{ij} T_{ij} (u_i + v_j - D_f)^2, \qquad
              N \operatorname{Cov}(\hat p - \hat q) = 2\operatorname{diag}(p) - T - T' \text{ where } p = q

    The mean of u_i + v_j is D_f (see `f_variance`). Where the margins differ, diag(p) + diag(q) - T - T' less
    (p - q)(p - q)' is the covariance.

    References
    ----------
    Stuart (1955) for the covariance of the difference of two margins.
    """
    N = sp.Symbol("N", positive=True)
    residuals: list[Any] = []
    for bins in (2, 3):
        T, p, q, margins = _pairs(bins)
        covariance = margins * multinomial_covariance(list(T), N) * margins.T
        u, v = (sp.Matrix(sp.symbols(f"{name}1:{bins + 1}", real=True)) for name in "uv")
        gradient = sp.Matrix([*u, *v])
        mean = sum(T[j, k] * (u[j] + v[k]) for j in range(bins) for k in range(bins))
        claimed = sum(T[j, k] * (u[j] + v[k] - mean) ** 2 for j in range(bins) for k in range(bins)) / N
        residuals.append(sp.expand((gradient.T * covariance * gradient)[0, 0] - claimed))
        euler = sum(a * b for a, b in zip(p, u, strict=True)) + sum(a * b for a, b in zip(q, v, strict=True))
        residuals.append(sp.expand(mean - euler))
        difference = sp.Matrix.hstack(sp.eye(bins), -sp.eye(bins))
        moved = N * difference * covariance * difference.T
        gap = sp.Matrix(p) - sp.Matrix(q)
        wanted = sp.diag(*p) + sp.diag(*q) - T - T.T - gap * gap.T
        residuals += [sp.expand(item) for item in moved - wanted]
        # equal margins: the last bin's follow from the others
        equal = sp.solve([gap[k] for k in range(bins - 1)], [T[k + 1, 0] for k in range(bins - 1)], dict=True)[0]
        null = (moved - (2 * sp.diag(*p) - T - T.T)).subs(equal, simultaneous=True)
        residuals += [sp.expand(item) for item in null]
    j, size = sp.Symbol("j", integer=True), sp.Symbol("B", integer=True, positive=True)
    cell, left, right = sp.IndexedBase("T")[i, j], sp.IndexedBase("u")[i], sp.IndexedBase("v")[j]
    square = cell * (left + right - sp.Symbol("D_f")) ** 2
    return Derivation(
        lhs=sp.Symbol(r"\operatorname{Var}(\hat D_f)"),
        rhs=sp.Sum(square, (i, 1, size), (j, 1, size)) / N,
        residuals=tuple(residuals),
    )


def survey() -> Derivation:
    r"""Derive the linearised variance of a divergence of weighted shares, by observation and by cluster.

    .. math:: \hat p_i = \frac{\sum_k w_k 1\{b_k = i\}}{\sum_k w_k}, \qquad
              \operatorname{Var}(\hat D_f) \approx \frac1{W^2} \sum_k w_k^2 (u_{b_k} - \bar u)^2

    Each observation enters c_k times with mean and variance 1, as with draws from a large population; the derivative
    of D by c_k is :math:`w_k (u_{b_k} - \bar u)/W`. For clusters c belongs to the cluster and the terms are summed
    before squaring. With equal weights the sum is :math:`\operatorname{Var}_P(u)/n`.

    References
    ----------
    Sarndal, Swensson and Wretman (1992), section 5.5, Taylor linearisation of ratios of totals.
    """
    bins_of = (0, 0, 1, 1, 2)
    clusters = (0, 1, 0, 1, 1)
    w = sp.symbols("w1:6", positive=True)
    c = sp.symbols("c1:6", positive=True)
    slopes = sp.symbols("u1:4", real=True)
    residuals: list[Any] = []
    total = sum(w)

    def derivative(entering: Any, by: Any) -> Any:
        size = sum(a * b for a, b in zip(entering, w, strict=True))
        shares = [
            sum(a * b for a, b, k in zip(entering, w, bins_of, strict=True) if k == level) / size for level in range(3)
        ]
        chain = sum(u * sp.diff(share, by) for u, share in zip(slopes, shares, strict=True))
        return chain.subs(dict.fromkeys(c, 1), simultaneous=True)

    share = [sum(b for b, k in zip(w, bins_of, strict=True) if k == level) / total for level in range(3)]
    mean = sum(a * b for a, b in zip(share, slopes, strict=True))
    scores = [w[k] * (slopes[bins_of[k]] - mean) / total for k in range(5)]
    residuals += [sp.factor(derivative(c, c[k]) - scores[k]) for k in range(5)]
    for g in range(2):
        inside = sum(score for score, cluster in zip(scores, clusters, strict=True) if cluster == g)
        shared = [c[cluster] for cluster in clusters]
        residuals.append(sp.factor(derivative(shared, c[g]) - inside))
    equal = dict.fromkeys(w, 1)
    p = [share_k.subs(equal) for share_k in share]
    centred = sum(a * (b - mean.subs(equal)) ** 2 for a, b in zip(p, slopes, strict=True))
    residuals.append(sp.expand(sum(score**2 for score in scores).subs(equal) - centred / 5))
    k = sp.Symbol("k", integer=True)
    w_k, u_k = sp.IndexedBase("w")[k], sp.IndexedBase("u")[sp.Symbol("b_k", integer=True)]
    return Derivation(
        lhs=sp.Symbol(r"\operatorname{Var}(\hat D_f)"),
        rhs=sp.Sum(w_k**2 * (u_k - sp.Symbol(r"\bar u")) ** 2, (k, 1, sp.Symbol("n"))) / sp.Symbol("W") ** 2,
        residuals=tuple(residuals),
    )


t = sp.Symbol("t", real=True)


def quadratic_cgf(gradient: Any, hessian: Any, covariance: Any) -> Any:
    """Return the cumulant generating function of ``g'Z + Z'HZ/2``, Z normal with `covariance`."""
    size = len(gradient)
    inner = sp.eye(size) - t * hessian * covariance
    linear = (gradient.T * covariance * inner.inv() * gradient)[0, 0]
    return -sp.log(inner.det()) / 2 + t**2 / 2 * linear


def second_order() -> Derivation:
    r"""Derive the first three cumulants of :math:`g'Z + \tfrac12 Z'HZ` for Z normal with mean 0 and covariance S.

    .. math:: \kappa_1 = \tfrac12 \operatorname{tr}(HS), \quad
              \kappa_2 = g'Sg + \tfrac12 \operatorname{tr}((HS)^2), \quad
              \kappa_3 = 3\, g'SHSg + \operatorname{tr}((HS)^3)

    The generating function is integrated in one dimension; independent coordinates add, and the general case is a
    linear map of it, which is proved with free symmetric matrices of two dimensions.

    References
    ----------
    Mathai and Provost (1992), chapter 3, cumulants of quadratic forms.
    """
    z = sp.Symbol("z", real=True)
    one_g, one_h = sp.symbols("g h", real=True)
    s = sp.Symbol("s", positive=True)
    # t h s < 1: written with k = 1/s - t h > 0, so that the integral exists
    k = sp.Symbol("k", positive=True)
    integral = sp.integrate(sp.exp(t * one_g * z - k * z**2 / 2) / sp.sqrt(2 * sp.pi * s), (z, -sp.oo, sp.oo))
    univariate = quadratic_cgf(sp.Matrix([one_g]), sp.Matrix([[one_h]]), sp.Matrix([[s]]))
    claimed = sp.exp(univariate).subs(one_h, (1 / s - k) / t)
    residuals: list[Any] = [sp.simplify(sp.log(sp.simplify(integral / claimed)).rewrite(sp.log))]
    g = sp.Matrix(sp.symbols("g1:3", real=True))
    h11, h12, h22, s11, s12, s22 = sp.symbols("h11 h12 h22 s11 s12 s22", real=True)
    H, S = sp.Matrix([[h11, h12], [h12, h22]]), sp.Matrix([[s11, s12], [s12, s22]])
    cgf = quadratic_cgf(g, H, S)
    HS = H * S
    wanted = (
        HS.trace() / 2,
        (g.T * S * g)[0, 0] + (HS * HS).trace() / 2,
        3 * (g.T * S * H * S * g)[0, 0] + (HS * HS * HS).trace(),
    )
    for order, value in enumerate(wanted, 1):
        residuals.append(sp.expand(sp.simplify(sp.diff(cgf, t, order).subs(t, 0)) - value))
    # a linear map Z = L Y of independent coordinates: both parts of the function depend on S = L L' alone
    L = sp.Matrix(2, 2, sp.symbols("l11 l12 l21 l22", real=True))
    residuals.append(sp.expand((sp.eye(2) - t * L.T * H * L).det() - (sp.eye(2) - t * H * L * L.T).det()))
    residuals.append(sp.cancel(_linear_part(L.T * g, L.T * H * L, sp.eye(2)) - _linear_part(g, H, L * L.T)))
    symbols = [sp.MatrixSymbol(name, 2, 2) for name in "HS"]
    return Derivation(lhs=sp.Symbol(r"\kappa_1"), rhs=sp.Trace(symbols[0] * symbols[1]) / 2, residuals=tuple(residuals))


def _linear_part(gradient: Any, hessian: Any, covariance: Any) -> Any:
    inner = sp.eye(len(gradient)) - t * hessian * covariance
    return (gradient.T * covariance * inner.inv() * gradient)[0, 0]


def dirichlet_log_moments() -> tuple[Any, Any, Any]:
    """Return E[s log s], E[log s] and E[s] of a share s that is Beta(a, A - a), from the moments E[s^k]."""
    a, total, power = sp.symbols("a A k", positive=True)
    moment = sp.gamma(a + power) * sp.gamma(total) / (sp.gamma(a) * sp.gamma(total + power))
    slope = sp.diff(moment, power)
    return tuple(
        sp.gammasimp(sp.simplify(item)) for item in (slope.subs(power, 1), slope.subs(power, 0), moment.subs(power, 1))
    )


def posterior_mean() -> Derivation:
    r"""Derive the posterior mean of J where both samples have independent Dirichlet posteriors.

    .. math:: \sum_i \frac{\alpha_i}{A}\bigl(\psi(\alpha_i + 1) - \psi(A + 1)\bigr)
              + \frac{\beta_i}{B}\bigl(\psi(\beta_i + 1) - \psi(B + 1)\bigr)
              - \frac{\alpha_i}{A}\bigl(\psi(\beta_i) - \psi(B)\bigr)
              - \frac{\beta_i}{B}\bigl(\psi(\alpha_i) - \psi(A)\bigr)

    from :math:`E[s^k] = \Gamma(\alpha + k)\Gamma(A)/(\Gamma(\alpha)\Gamma(A + k))`, whose derivative at k = 1 is
    E[s log s] and at k = 0 is E[log s]. The normalising digammas of E[log s] cancel in the sum with E[s].

    References
    ----------
    Wolpert and Wolf (1995) for entropies under Dirichlet posteriors.
    """
    a, total = sp.symbols("a A", positive=True)
    entropy, level, mean = dirichlet_log_moments()
    psi = sp.digamma
    al, be = (sp.IndexedBase(name, positive=True)[i] for name in ("alpha", "beta"))
    first, second = sp.symbols("A B_t", positive=True)

    def at(expression: Any, share: Any, size: Any) -> Any:
        return expression.subs({a: share, total: size}, simultaneous=True)

    wanted_entropy = a / total * (psi(a + 1) - psi(total + 1))
    wanted_level = psi(a) - psi(total)
    lhs = over_bins(
        at(wanted_entropy, al, first)
        + at(wanted_entropy, be, second)
        - al / first * at(wanted_level, be, second)
        - be / second * at(wanted_level, al, first)
    )
    # with psi(a + 1) = psi(a) + 1/a
    psi_al, psi_be = (sp.IndexedBase(name)[i] for name in ("psi_alpha", "psi_beta"))
    psi_first, psi_second, bins = sp.Symbol("psi_A"), sp.Symbol("psi_B"), sp.Symbol("B", integer=True, positive=True)
    short = over_bins((al / first - be / second) * (psi_al - psi_be)) + (bins - 1) / first + (bins - 1) / second
    plain = over_bins(
        al / first * (psi_al + 1 / al - psi_first - 1 / first)
        + be / second * (psi_be + 1 / be - psi_second - 1 / second)
        - al / first * (psi_be - psi_second)
        - be / second * (psi_al - psi_first)
    )
    constraints = {al: first, be: second}
    return Derivation(
        lhs=sp.Symbol(r"\operatorname{E}(J \mid x, y)"),
        rhs=lhs,
        residuals=(
            sp.simplify(sp.expand_func(entropy - wanted_entropy)),
            sp.simplify(sp.expand_func(level - wanted_level)),
            sp.simplify(sp.expand_func(mean - a / total)),
            reduced(plain - short, constraints),
        ),
    )

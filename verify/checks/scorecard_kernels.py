"""Replicates of the scorecard checks: two multinomial tables and the statistics formed from them.

Tables are drawn as chains of conditional binomials, so a replicate costs O(bins) whatever the sample sizes.
"""

from __future__ import annotations

from asymptopia.verify.device.binomial import binomial
from asymptopia.verify.device.elementary import log
from asymptopia.verify.device.gamma_function import noncentral_chi2_cdf
from asymptopia.verify.device.primitives import sqrt
from asymptopia.verify.device.stream import Stream

# params of the table kernels: bins, n, m (0: the baseline is known), pseudo-count, divergence of the true shares,
# three numbers of the kernel's own, then six a bin: P(bin | not an earlier one) in both samples, both true shares,
# both entries of the gradient
HEAD = 8
ROW = 6


def table_sums(
    stream: Stream, params: list[float]
) -> tuple[float, float, float, float, float, float, float, float, float, float]:
    """Return the sums over bins that every statistic of a pair of tables is made of.

    They are: J, KL(P, Q), KL(Q, P), sum p L^2, sum q L^2, sum d^2/p, sum d^2/q, sum L, the linear term of J, and
    sum L^2 (p^2/n + q^2/m).
    """
    bins = int(params[0])
    n = int(params[1])
    m = int(params[2])
    a = params[3]
    left_x = n
    left_y = m
    j = 0
    jeffreys = kl_pq = kl_qp = p_square = q_square = chi_p = chi_q = log_sum = linear = squares = 0.0
    for i in range(bins):
        row = HEAD + ROW * i
        x, j = binomial(stream, j, left_x, params[row])
        left_x -= x
        p = (x + a) / (n + a * bins)
        linear += params[row + 4] * (x / n - params[row + 2])
        q = params[row + 3]
        weight = p * p / n
        if m > 0:
            y, j = binomial(stream, j, left_y, params[row + 1])
            left_y -= y
            q = (y + a) / (m + a * bins)
            linear += params[row + 5] * (y / m - params[row + 3])
            weight += q * q / m
        ratio = log(p) - log(q)
        d = p - q
        jeffreys += d * ratio
        kl_pq += p * ratio
        kl_qp -= q * ratio
        p_square += p * ratio * ratio
        q_square += q * ratio * ratio
        chi_p += d * d / p
        chi_q += d * d / q
        log_sum += ratio
        squares += weight * ratio * ratio
    return jeffreys, kl_pq, kl_qp, p_square, q_square, chi_p, chi_q, log_sum, linear, squares


def divergence_residual(stream: Stream, params: list[float]) -> float:
    """Return J less its true value and its linear term, which has mean 0: the rest has the bias as its mean."""
    sums = table_sums(stream, params)
    return sums[0] - params[4] - sums[8]


def divergence_square(stream: Stream, params: list[float]) -> float:
    """Return (J - mean)^2; params[5] is the exact mean."""
    spread = table_sums(stream, params)[0] - params[5]
    return spread * spread


def divergence_powers(stream: Stream, params: list[float]) -> tuple[float, float]:
    """Return (J - mean)^2 and (J - mean)^3; params[5] is the exact mean."""
    spread = table_sums(stream, params)[0] - params[5]
    return spread * spread, spread * spread * spread


def null_statistics(stream: Stream, params: list[float]) -> tuple[float, float, float, float, float, float, float]:
    """Return T = n_e J, T > critical, n J > critical, and whether four 95 % Wald intervals exclude 0.

    The first interval uses the full delta variance, the second holds the weights fixed, the third takes them as
    independent of the differences, the last leaves out the cross-covariance. params[5] is n_e, params[6] the critical
    value of T, params[7] the normal quantile.
    """
    jeffreys, kl_pq, kl_qp, p_square, q_square, chi_p, chi_q, _, _, squares = table_sums(stream, params)
    n = params[1]
    m = params[2]
    full = (p_square - kl_pq * kl_pq + chi_p + 2.0 * jeffreys) / n
    weights_fixed = chi_p / n
    independent = p_square / n - squares
    if m > 0.0:
        full += (q_square - kl_qp * kl_qp + chi_q + 2.0 * jeffreys) / m
        weights_fixed += chi_q / m
        independent += q_square / m
    independent += weights_fixed
    no_cross = full - 2.0 * jeffreys / params[5]
    statistic = params[5] * jeffreys
    reject = 1.0 if statistic > params[6] else 0.0
    reject_with_n = 1.0 if n * jeffreys > params[6] else 0.0
    excludes = 1.0 if jeffreys > params[7] * sqrt(full) else 0.0
    excludes_fixed = 1.0 if jeffreys > params[7] * sqrt(weights_fixed) else 0.0
    excludes_independent = 1.0 if jeffreys > params[7] * sqrt(independent) else 0.0
    excludes_no_cross = 1.0 if jeffreys > params[7] * sqrt(no_cross) else 0.0
    return statistic, reject, reject_with_n, excludes, excludes_fixed, excludes_independent, excludes_no_cross


def pearson_control(stream: Stream, params: list[float]) -> tuple[float, float]:
    """Return n J against a known baseline less params[5] c, and c: Pearson's X^2 - (B - 1), of mean 0 at J = 0."""
    bins = int(params[0])
    n = int(params[1])
    a = params[3]
    left = n
    j = 0
    statistic = 0.0
    control = 1.0 - bins
    for i in range(bins):
        row = HEAD + ROW * i
        x, j = binomial(stream, j, left, params[row])
        left -= x
        q = params[row + 3]
        p = (x + a) / (n + a * bins)
        away = x / n - q
        statistic += n * (p - q) * (log(p) - log(q))
        control += n * away * away / q
    return statistic - params[5] * control, control


def interval_coverage(stream: Stream, params: list[float]) -> tuple[float, float, float]:
    """Return whether the SNC interval, the delta interval, and SNC with fixed weights cover the true divergence.

    The interval is inverted by evaluating its law at the truth. params[5] is n_e, params[6] half the miss rate,
    params[7] the normal quantile.
    """
    jeffreys, kl_pq, kl_qp, p_square, q_square, chi_p, chi_q, log_sum, _, _ = table_sums(stream, params)
    bins = params[0]
    n = params[1]
    m = params[2]
    truth = params[4]
    variance = (p_square - kl_pq * kl_pq + chi_p + 2.0 * jeffreys) / n
    weights_fixed = chi_p / n
    bias = (bins - 1.0 + 0.5 * log_sum - 0.5 * bins * kl_pq) / n
    if m > 0.0:
        variance += (q_square - kl_qp * kl_qp + chi_q + 2.0 * jeffreys) / m
        weights_fixed += chi_q / m
        bias += (bins - 1.0 - 0.5 * log_sum - 0.5 * bins * kl_qp) / m
    distance = jeffreys - truth
    delta = 1.0 if distance <= params[7] * sqrt(variance) and -distance <= params[7] * sqrt(variance) else 0.0
    if truth == 0.0:
        # the delta interval is clipped at 0: only its lower end can miss
        delta = 1.0 if distance <= params[7] * sqrt(variance) else 0.0
    snc = snc_covers(jeffreys, variance, bias, params[5], bins, truth, params[6])
    snc_fixed = snc_covers(jeffreys, weights_fixed, bias, params[5], bins, truth, params[6])
    return snc, delta, snc_fixed


def snc_covers(
    jeffreys: float, variance: float, bias: float, size: float, bins: float, truth: float, miss: float
) -> float:
    """Return 1 if the scaled noncentral chi-square interval with effective size `size` covers `truth`, else 0."""
    rho = 1.0
    nu = bins - 1.0
    if jeffreys > 0.0:
        rho = size * variance / (4.0 * jeffreys)
        nu = size * bias / rho
        if nu < 0.5:
            nu = 0.5
    cdf = noncentral_chi2_cdf(size * jeffreys / rho, nu, size * truth / rho)
    # at 0 the upper end always covers, for it is never below 0
    return 1.0 if cdf <= 1.0 - miss and (cdf >= miss or truth == 0.0) else 0.0


def woe_moments(stream: Stream, params: list[float]) -> tuple[float, float, float]:
    """Return the squares of two centred WoE's: of the first, the product of both, of their contrast.

    params: n, m, pseudo-count, exact means of both, conditional shares of sample 1 (two) and of sample 2 (two).
    """
    n = int(params[0])
    m = int(params[1])
    a = params[2]
    x0, j = binomial(stream, 0, n, params[5])
    x1, j = binomial(stream, j, n - x0, params[6])
    y0, j = binomial(stream, j, m, params[7])
    y1, j = binomial(stream, j, m - y0, params[8])
    first = log(x0 + a) - log(y0 + a) - params[3]
    second = log(x1 + a) - log(y1 + a) - params[4]
    contrast = first - second
    return first * first, first * second, contrast * contrast


def woe_moments_fixed_bins(stream: Stream, params: list[float]) -> tuple[float, float]:
    """Return the same squares where the bin sizes are fixed by design: of the first WoE, and the product of two.

    params: bins, pseudo-count, means of both, then two a bin: its size and its event rate.
    """
    bins = int(params[0])
    a = params[1]
    j = 0
    goods = 0
    bads = 0
    first = second = 0.0
    for i in range(bins):
        size = int(params[4 + 2 * i])
        y, j = binomial(stream, j, size, params[5 + 2 * i])
        goods += size - y
        bads += y
        if i == 0:
            first = log(size - y + a) - log(y + a)
        if i == 1:
            second = log(size - y + a) - log(y + a)
    shift = log(goods + a) - log(bads + a)
    first -= shift + params[2]
    second -= shift + params[3]
    return first * first, first * second

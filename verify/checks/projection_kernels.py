"""Replicates of the checks of the risk of the MLE whose sufficient statistics have known laws, and of plain samples.

The risk is the mean of KL(theta* || theta_hat), theta* being the projection of the truth. With r = 1 + u the ratio of
an estimated scale to the true one, ``log r + 1/r - 1`` is `scale_divergence(u)`, in which nothing cancels.
"""

from __future__ import annotations

from asymptopia.verify.device.gamma import gamma
from asymptopia.verify.device.log_rest import log1p_rest
from asymptopia.verify.device.normal import normal_pair
from asymptopia.verify.device.poisson import table_draw
from asymptopia.verify.device.primitives import sqrt
from asymptopia.verify.device.stream import Stream, substream, uniform

THIRD = 0.3333333333333333
GAMMA, NORMAL, INVERSE_GAUSSIAN = 0, 1, 2
"""Families of `direct_statistics`."""
EXPONENTIAL, POISSON, LOCATION_SCALE = 0, 1, 2
"""Models of `sample_statistics`: the last one is the normal."""
TABLE = 8
"""Where the table of a lattice law starts in the parameters of `sample_statistics`."""


def scale_divergence(u: float) -> float:
    """Return ``log(1 + u) - u/(1 + u)``: twice the divergence of a normal of variance 1 + u, seen from variance 1."""
    square = u * u
    return square * (0.5 - 2.0 * THIRD * u) + square * square / (1.0 + u) + log1p_rest(u)


def rate_divergence(u: float) -> float:
    """Return ``u - log(1 + u)``."""
    return u * u * (0.5 - THIRD * u) - log1p_rest(u)


def direct_draw(stream: Stream, j: int, params: list[float], n: float) -> tuple[float, float, float, int]:
    """Return divergence, optimism, and divergence less its quadratic and cubic terms, from n observations.

    The optimism is the mean log likelihood of the sample less that out of it, at the estimate, and less the same at the
    truth, whose mean is 0. The last is that of one dimension.

    Notes
    -----
    A covariance is A A'/n with Bartlett's triangle A: chi on the diagonal, normals below it. Rotations from the left
    turn each row of normals into its length, one chi next to the diagonal, and leave the law of the mean as it is: the
    rows of the inverse then need one number each, and any dimension does.
    """
    kind = int(params[0])
    d = int(params[3])
    a = params[5]
    shape = n * a if kind == GAMMA else 0.5 * (n - params[4])
    scale = 1.0 / (n * a) if kind == GAMMA else 2.0 / n
    root = params[4] / sqrt(n)
    u = z = spare = logs = rest = turned = 0.0
    row = shift = 0.0
    for i in range(d):
        beside = 0.0
        # one call site: each is compiled on its own
        for part in range(1 if i == 0 else 2):
            x, j = gamma(stream, j, 0.5 * (d - i) if part == 1 else shape - 0.5 * i)
            beside = scale * x if part == 1 else 0.0
            u = u if part == 1 else scale * x - 1.0
        z = spare
        if (i & 1) == 0:
            z, spare, j = normal_pair(stream, j)
        size = 1.0 / (1.0 + u)
        # squared length of this row of the inverse, and the row's product with the mean
        away = size * beside * row
        row = size + away
        shift = sqrt(size) * (root * z - sqrt(beside) * shift)
        logs += scale_divergence(u)
        # both with the trace of the second moment about the true mean, a linear term
        rest += u * u * size + beside + root * root * z * z
        turned += away + shift * shift
    if kind == GAMMA:
        divergence = a * logs
        rest = u * u / (1.0 + u)
        taylor = a * u * u * (0.5 - 2.0 * THIRD * u)
        return divergence, a * rest, divergence - taylor, j
    if kind == NORMAL:
        divergence = 0.5 * (logs + turned)
        h1 = root * z
        h2 = u + h1 * h1
        taylor = 0.5 * h1 * h1 + 0.25 * h2 * h2 - h2 * (THIRD * h2 * h2 + h1 * h1)
        return divergence, 0.5 * (rest + turned), divergence - taylor, j
    # the mean over mu, of inverse Gaussian law with lambda n: the smaller root or its inverse
    half = 0.5 * z * z * a / n
    large = 1.0 + half + sqrt(half * (2.0 + half))
    share, _j = uniform(substream(stream, 1), j)
    mean = 1.0 / large if share * (1.0 + large) <= large else large
    v = 1.0 / mean - 1.0
    bend = v * v / (a * (1.0 + u))
    divergence = 0.5 * (logs + bend)
    h1 = mean - 1.0
    h2 = u + (v + h1) / a
    taylor = 0.25 * h2 * h2 + 0.5 * h1 * h1 / a - THIRD * h2 * h2 * h2 - h1 * h1 * (h1 + h2) / a
    gap = 0.5 * (h2 + bend - u / (1.0 + u))
    return divergence, gap, divergence - taylor, j


def direct_statistics(stream: Stream, params: list[float]) -> tuple[float, float, float]:
    """Return the risk, its second coefficient free of the next order, and the optimism, of a draw.

    The second is n**2 times the divergence less its quadratic and cubic terms, twice that at 2n less that at n, plus
    the mean that is known of the cubic term. params: family, n, number of sizes (with 1, the second is that at n),
    dimension, 1 if the mean is unknown, shape of the gamma or mu/lambda, n**2 times the mean of the cubic term.
    """
    risk = optimism = second = 0.0
    j = 0
    for k in range(int(params[2])):
        n = params[1] * (1.0 + k)
        divergence, gap, rest, j = direct_draw(stream, j, params, n)
        risk = divergence if k == 0 else risk
        optimism = gap if k == 0 else optimism
        second = n * n * rest if k == 0 else 2.0 * n * n * rest - second
    return risk, second + params[6], optimism


def mean_model(n: float, poisson: bool, a1: float, a2: float, a3: float) -> tuple[float, float, float, float, float]:
    """Return divergence, that less its quadratic and cubic terms, and plug-in t0, A3 and A4, for a model of one mean.

    The moments are those about 0, in units of the true mean.
    """
    mean = a1
    u = mean - 1.0
    divergence = rate_divergence(u) if poisson else scale_divergence(u)
    square = u * u
    taylor = square * (0.5 - THIRD * u) if poisson else square * (0.5 - 2.0 * THIRD * u)
    k2 = mean if poisson else mean * mean
    k3 = mean if poisson else 2.0 * mean * k2
    k4 = mean if poisson else 6.0 * k2 * k2
    variance = (a2 - mean * mean) * n / (n - 1.0)
    third = (a3 - 3.0 * mean * a2 + 2.0 * mean * mean * mean) * n * n / ((n - 1.0) * (n - 2.0))
    t0 = variance / k2
    w = t0 / k2
    a_three = -k3 * third / (k2 * k2 * k2)
    a_four = w * w * (3.0 * k3 * k3 / k2 - k4)
    return divergence, divergence - taylor, t0, a_three, a_four


def location_model(
    n: float, a1: float, a2: float, a3: float, a4: float, a5: float, a6: float
) -> tuple[float, float, float, float, float]:
    """Return what `mean_model` does, for the normal; the moments are those about the true mean, in true sds."""
    q = a1 * a1
    s = a2 - q
    u = s - 1.0
    h2 = a2 - 1.0
    divergence = 0.5 * (scale_divergence(u) + q / s)
    taylor = 0.5 * q + 0.25 * h2 * h2 - h2 * (THIRD * h2 * h2 + q)
    m3 = a3 - a1 * (3.0 * a2 - 2.0 * q)
    m4 = a4 - a1 * (4.0 * a3 - a1 * (6.0 * a2 - 3.0 * q))
    m6 = a6 - a1 * (6.0 * a5 - a1 * (15.0 * a4 - a1 * (20.0 * a3 - a1 * (15.0 * a2 - 5.0 * q))))
    skewness = m3 * m3 / (s * s * s)
    b2 = m4 / (s * s)
    b6 = m6 / (s * s * s)
    t0 = 0.5 * (b2 + 1.0) * n / (n - 1.0)
    # with y standardised: -E[(y^2 - 1)^3] - 3 E[y^2 (y^2 - 1)], and the rest of twice the optimism's coefficient
    a_three = -(b6 - 3.0 * b2 + 2.0) - 3.0 * (b2 - 1.0)
    excess = b2 - 3.0
    a_four = 27.0 - b6 + 8.0 * skewness + 3.0 * excess * excess + 16.0 * excess - a_three
    return divergence, divergence - taylor, t0, a_three, a_four


def sample_statistics(stream: Stream, params: list[float]) -> tuple[float, float, float, float, float]:
    """Return of a drawn sample: the risk, its second coefficient, the bias of t0, the estimated risk, and that plain.

    The first two are those of `direct_statistics`, with the cubic term's mean left out; the sample of 2n holds that of
    n. The bias is n times the error of the plug-in t0. The estimates of the risk are in units of n**-2; the second one
    adds the plug-in second order to the plug-in first order, whose bias is of the same order. params: model, n, number
    of sizes, shape of a gamma law (0: the table), offset and step of the draws, which leave the true mean at 1 (at 0,
    with variance 1, for the normal), t0, the Poisson model's true mean; then the table.
    """
    model = int(params[0])
    s1 = s2 = s3 = s4 = s5 = s6 = 0.0
    risk = second = bias = corrected = plain = 0.0
    divergence = rest = t0 = a3 = a4 = 0.0
    j = 0
    # the mean models are in units of the true mean; a Poisson count is not, and so its factors carry the mean
    unit = params[7] if model == POISSON else 1.0
    for k in range(int(params[2])):
        for _ in range(int(params[1])):
            draw = 0.0
            if params[3] > 0.0:
                draw, j = gamma(stream, j, params[3])
            else:
                count, j = table_draw(stream, j, params, TABLE)
                draw = count * 1.0
            x = params[4] + params[5] * draw
            square = x * x
            s1 += x
            s2 += square
            s3 += square * x
            s4 += square * square
            s5 += square * square * x
            s6 += square * square * square
        n = params[1] * (1.0 + k)
        if model == LOCATION_SCALE:
            divergence, rest, t0, a3, a4 = location_model(n, s1 / n, s2 / n, s3 / n, s4 / n, s5 / n, s6 / n)
        else:
            divergence, rest, t0, a3, a4 = mean_model(n, model == POISSON, s1 / n, s2 / n, s3 / n)
            divergence *= unit
            rest *= unit
            t0 *= unit
            a3 *= unit
            a4 *= unit
        if k == 0:
            risk = divergence
            second = n * n * rest
            bias = n * (t0 - params[6])
            corrected = 0.5 * n * t0 - a3 / 6.0 + 0.125 * a4
            plain = 0.5 * n * t0 + THIRD * a3 + 0.375 * a4
        else:
            second = 2.0 * n * n * rest - second
    return risk, second, bias, corrected, plain

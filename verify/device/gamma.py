"""Gamma draws of any shape, and what is made of them: chi-square and beta draws."""

from __future__ import annotations

from asymptopia.verify.device.elementary import INF, NAN, TWO52_BIASED, exp, log, log1p, log_core
from asymptopia.verify.device.exponential import exponential
from asymptopia.verify.device.log_rest import log1p_rest
from asymptopia.verify.device.primitives import sqrt
from asymptopia.verify.device.quantile import normal_quantile
from asymptopia.verify.device.stream import Stream, uniform_pair

THIRD = 0.3333333333333333


def gamma(stream: Stream, j: int, shape: float) -> tuple[float, int]:
    """Return ``(x, j')`` with x gamma of this shape and scale 1.

    Parameters
    ----------
    stream : tuple
        The stream.
    j : int
        Next unused block.
    shape : float
        Shape > 0. 0 gives 0 and inf gives inf, without a block; below 0 and for nan, x is nan.

    Notes
    -----
    From shape 1 on, attempts of `gamma_attempt` at successive blocks until one is accepted. Below, the exponential of
    `log_gamma_variate`: small shapes have much of their mass below the smallest double, where x is 0.
    """
    if not (shape > 0.0 and shape < INF):
        return gamma_edge(shape), j
    if shape < 1.0:
        x, j = log_gamma_variate(stream, j, shape)
        return exp(x), j
    x, accepted = gamma_attempt(stream, j, shape)
    while accepted == 0:
        j += 1
        x, accepted = gamma_attempt(stream, j, shape)
    return x, j + 1


def log_gamma_variate(stream: Stream, j: int, shape: float) -> tuple[float, int]:
    """Return ``(log(x), j')`` with x gamma of this shape: attempts of `log_gamma_attempt` until one is accepted.

    Notes
    -----
    The blocks are those of `gamma`: one an attempt and, below shape 1, one more. The edges are logarithms of its edges.
    """
    if not (shape > 0.0 and shape < INF):
        return log(gamma_edge(shape)), j
    x, accepted = log_gamma_attempt(stream, j, shape)
    while accepted == 0:
        j += 1
        x, accepted = log_gamma_attempt(stream, j, shape)
    return x, j + 2 if shape < 1.0 else j + 1


def chi_square(stream: Stream, j: int, dof: float) -> tuple[float, int]:
    """Return ``(x, j')`` with x chi-square, twice a gamma of shape dof / 2; the edges are those of `gamma`."""
    x, j = gamma(stream, j, 0.5 * dof)
    return 2.0 * x, j


def beta(stream: Stream, j: int, a: float, b: float) -> tuple[float, int]:
    """Return ``(x, j')`` with x beta of positive finite a and b, out of the logarithms of two gammas; else nan."""
    if not (a > 0.0 and a < INF and b > 0.0 and b < INF):
        return NAN, j
    first, j = log_gamma_variate(stream, j, a)
    second, j = log_gamma_variate(stream, j, b)
    return 1.0 / (1.0 + exp(second - first)), j


def gamma_attempt(stream: Stream, j: int, shape: float) -> tuple[float, int]:
    """Return ``(x, accepted)``, one attempt at a gamma draw at block j: accepted is 1 or 0, and 0 for a shape below 1.

    Nothing branches, so that loops over replicates vectorise.
    """
    known = shape >= 1.0 and shape < INF
    d = (shape if known else 1.0) - THIRD
    t, accepted = gamma_root(stream, j, d)
    root = 1.0 + t
    return d * (root * root * root), accepted if known else 0


def log_gamma_attempt(stream: Stream, j: int, shape: float) -> tuple[float, int]:
    """Return ``(log(x), accepted)``, one attempt at blocks j and j + 1: accepted is 0 outside 0 < shape < inf.

    Notes
    -----
    Below shape 1, x is a draw of shape + 1 times u**(1 / shape): in logarithms, where nothing underflows. From 1 on,
    block j + 1 is computed and not used. Nothing branches.
    """
    known = shape > 0.0 and shape < INF
    a = shape if known else 1.0
    small = a < 1.0
    d = (a + 1.0 if small else a) - THIRD
    t, accepted = gamma_root(stream, j, d)
    boost, _j = exponential(stream, j + 1)
    x = log(d) + 3.0 * log1p(t) - (boost / a if small else 0.0)
    return x, accepted if known else 0


def gamma_edge(shape: float) -> float:
    """Return the draw for a shape that is not positive and finite: 0 at 0, inf at inf, else nan."""
    edge = INF if shape == INF else NAN
    return 0.0 if shape == 0.0 else edge


def gamma_root(stream: Stream, j: int, d: float) -> tuple[float, int]:
    """Return ``(t, accepted)`` such that, when accepted, d (1 + t)**3 is gamma of shape d + 1/3, for d >= 2/3.

    Notes
    -----
    With x normal and t = x / (3 sqrt(d)), the ratio of the densities is exp(3 d r), at most 1, where r is log(1 + t)
    less t - t**2 / 2 + t**3 / 3. In this form nothing cancels, whatever the shape. There is no squeeze: where loops
    vectorise, a logarithm costs less than the branch.

    References
    ----------
    G. Marsaglia, W. W. Tsang, "A simple method for generating gamma variables", ACM Trans. Math. Softw. 26 (2000).
    """
    u, v, _j = uniform_pair(stream, j)
    t = normal_quantile(u) * (THIRD / sqrt(d))
    inside = t > -1.0
    t = t if inside else 0.0
    # t > -1 means 1 + t >= 2**-53
    # d last: three times the largest shapes is inf
    hit = log_core(v, TWO52_BIASED) <= d * (3.0 * log1p_rest(t))
    return t, 1 if inside and hit else 0

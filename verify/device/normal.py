"""Standard normal draws."""

from __future__ import annotations

from asymptopia.verify.device.elementary import TWO52_BIASED, log_core, sincos2pi
from asymptopia.verify.device.primitives import sqrt
from asymptopia.verify.device.quantile import normal_quantile
from asymptopia.verify.device.stream import Stream, uniform, uniform_pair


def normal(stream: Stream, j: int) -> tuple[float, int]:
    """Return ``(z, j + 1)``, a standard normal by the inverse distribution function: increasing in its uniform."""
    u, j = uniform(stream, j)
    return normal_quantile(u), j


def normal_pair(stream: Stream, j: int) -> tuple[float, float, int]:
    """Return ``(z1, z2, j + 1)``, two independent standard normals by the transformation of Box and Muller."""
    u1, u2, j = uniform_pair(stream, j)
    # u1 is at least 2**-53: the logarithm needs no edges
    radius = sqrt(-2.0 * log_core(u1, TWO52_BIASED))
    s, c = sincos2pi(u2)
    return radius * c, radius * s, j

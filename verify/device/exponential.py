"""Standard exponential draws."""

from __future__ import annotations

from asymptopia.verify.device.elementary import TWO52_BIASED, log_core
from asymptopia.verify.device.stream import Stream, uniform, uniform_pair


def exponential(stream: Stream, j: int) -> tuple[float, int]:
    """Return ``(-log(u), j + 1)``, a standard exponential: decreasing in its uniform, between 2**-53 and 36.8."""
    u, j = uniform(stream, j)
    # u is at least 2**-53: the logarithm needs no edges
    return -log_core(u, TWO52_BIASED), j


def exponential_pair(stream: Stream, j: int) -> tuple[float, float, int]:
    """Return ``(e1, e2, j + 1)``, two independent standard exponentials; e1 is that of `exponential`."""
    u1, u2, j = uniform_pair(stream, j)
    return -log_core(u1, TWO52_BIASED), -log_core(u2, TWO52_BIASED), j

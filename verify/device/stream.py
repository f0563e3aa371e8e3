"""Streams: the uniform random numbers of one replicate, addressed by position and free of state.

A stream is the tuple ``(k0, k1, replicate_low, replicate_high, substream)``. Block j of it is the Philox block with the
counter ``(j, replicate_low, replicate_high, substream)`` and the key ``(k0, k1)``. A sampler takes the stream and the
index of the next unused block, and returns its value with the index after the blocks it used.
"""

from __future__ import annotations

from asymptopia.verify.device.philox import philox4x32
from asymptopia.verify.device.primitives import bits_float

Stream = tuple[int, int, int, int, int]

ONE_BITS = 0x3FF0000000000000
# 1 - 2**-53: the bit pattern gives 1 + m 2**-52, and u = (m + 1/2) 2**-52 is exact
BELOW_ONE = 0.9999999999999999


def substream(stream: Stream, number: int) -> Stream:
    """Return the substream `number` of the same replicate, independent of every other one."""
    return stream[0], stream[1], stream[2], stream[3], number


def words(stream: Stream, j: int) -> tuple[int, int, int, int]:
    """Return the four 32-bit words of block `j`; j counts modulo 2**32."""
    return philox4x32(j, stream[2], stream[3], stream[4], stream[0], stream[1])


def words_to_uniform(high: int, low: int) -> float:
    """Return the uniform made of two words: an odd multiple of 2**-53 inside (0, 1).

    Notes
    -----
    52 bits through the bit pattern of a double: 53 bits plus a half would round to 1 once in 2**53 draws, and the
    conversion of a 64-bit integer does not vectorise below AVX-512.
    """
    return bits_float(ONE_BITS | (high << 20) | (low >> 12)) - BELOW_ONE


def uniform(stream: Stream, j: int) -> tuple[float, int]:
    """Return ``(u, j + 1)`` with u uniform on the odd multiples of 2**-53 in (0, 1)."""
    w0, w1, _w2, _w3 = words(stream, j)
    return words_to_uniform(w0, w1), j + 1


def uniform_pair(stream: Stream, j: int) -> tuple[float, float, int]:
    """Return ``(u1, u2, j + 1)``, two independent uniforms of one block; u1 is that of `uniform`."""
    w0, w1, w2, w3 = words(stream, j)
    return words_to_uniform(w0, w1), words_to_uniform(w2, w3), j + 1

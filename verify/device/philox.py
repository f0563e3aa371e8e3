"""Philox4x32-10 (Salmon, Moraes, Dror, Shaw 2011): a counter-based generator without state."""

from __future__ import annotations

PHILOX_M0 = 0xD2511F53
PHILOX_M1 = 0xCD9E8D57
PHILOX_W0 = 0x9E3779B9
PHILOX_W1 = 0xBB67AE85
MASK32 = 0xFFFFFFFF


def philox4x32(c0: int, c1: int, c2: int, c3: int, k0: int, k1: int) -> tuple[int, int, int, int]:
    """Return the four 32-bit words of one block.

    Parameters
    ----------
    c0, c1, c2, c3 : int
        The counter; the low 32 bits of each count.
    k0, k1 : int
        The key; the low 32 bits of each count.

    Notes
    -----
    A product of two 32-bit words overflows a signed 64-bit integer, but its low and high words come out right after
    the masks, in two's complement as in Python's unbounded integers. The rounds are unrolled because the vectoriser
    of older LLVM versions gives up on a loop here.

    References
    ----------
    J. K. Salmon, M. A. Moraes, R. O. Dror, D. E. Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC11.
    """
    c0 &= MASK32
    c1 &= MASK32
    c2 &= MASK32
    c3 &= MASK32
    k0 &= MASK32
    k1 &= MASK32
    p0 = PHILOX_M0 * c0
    p1 = PHILOX_M1 * c2
    c0 = ((p1 >> 32) & MASK32) ^ c1 ^ k0
    c2 = ((p0 >> 32) & MASK32) ^ c3 ^ k1
    c1 = p1 & MASK32
    c3 = p0 & MASK32
    k0 = (k0 + PHILOX_W0) & MASK32
    k1 = (k1 + PHILOX_W1) & MASK32
    p0 = PHILOX_M0 * c0
    p1 = PHILOX_M1 * c2
    c0 = ((p1 >> 32) & MASK32) ^ c1 ^ k0
    c2 = ((p0 >> 32) & MASK32) ^ c3 ^ k1
    c1 = p1 & MASK32
    c3 = p0 & MASK32
    k0 = (k0 + PHILOX_W0) & MASK32
    k1 = (k1 + PHILOX_W1) & MASK32
    p0 = PHILOX_M0 * c0
    p1 = PHILOX_M1 * c2
    c0 = ((p1 >> 32) & MASK32) ^ c1 ^ k0
    c2 = ((p0 >> 32) & MASK32) ^ c3 ^ k1
    c1 = p1 & MASK32
    c3 = p0 & MASK32
    k0 = (k0 + PHILOX_W0) & MASK32
    k1 = (k1 + PHILOX_W1) & MASK32
    p0 = PHILOX_M0 * c0
    p1 = PHILOX_M1 * c2
    c0 = ((p1 >> 32) & MASK32) ^ c1 ^ k0
    c2 = ((p0 >> 32) & MASK32) ^ c3 ^ k1
    c1 = p1 & MASK32
    c3 = p0 & MASK32
    k0 = (k0 + PHILOX_W0) & MASK32
    k1 = (k1 + PHILOX_W1) & MASK32
    p0 = PHILOX_M0 * c0
    p1 = PHILOX_M1 * c2
    c0 = ((p1 >> 32) & MASK32) ^ c1 ^ k0
    c2 = ((p0 >> 32) & MASK32) ^ c3 ^ k1
    c1 = p1 & MASK32
    c3 = p0 & MASK32
    k0 = (k0 + PHILOX_W0) & MASK32
    k1 = (k1 + PHILOX_W1) & MASK32
    p0 = PHILOX_M0 * c0
    p1 = PHILOX_M1 * c2
    c0 = ((p1 >> 32) & MASK32) ^ c1 ^ k0
    c2 = ((p0 >> 32) & MASK32) ^ c3 ^ k1
    c1 = p1 & MASK32
    c3 = p0 & MASK32
    k0 = (k0 + PHILOX_W0) & MASK32
    k1 = (k1 + PHILOX_W1) & MASK32
    p0 = PHILOX_M0 * c0
    p1 = PHILOX_M1 * c2
    c0 = ((p1 >> 32) & MASK32) ^ c1 ^ k0
    c2 = ((p0 >> 32) & MASK32) ^ c3 ^ k1
    c1 = p1 & MASK32
    c3 = p0 & MASK32
    k0 = (k0 + PHILOX_W0) & MASK32
    k1 = (k1 + PHILOX_W1) & MASK32
    p0 = PHILOX_M0 * c0
    p1 = PHILOX_M1 * c2
    c0 = ((p1 >> 32) & MASK32) ^ c1 ^ k0
    c2 = ((p0 >> 32) & MASK32) ^ c3 ^ k1
    c1 = p1 & MASK32
    c3 = p0 & MASK32
    k0 = (k0 + PHILOX_W0) & MASK32
    k1 = (k1 + PHILOX_W1) & MASK32
    p0 = PHILOX_M0 * c0
    p1 = PHILOX_M1 * c2
    c0 = ((p1 >> 32) & MASK32) ^ c1 ^ k0
    c2 = ((p0 >> 32) & MASK32) ^ c3 ^ k1
    c1 = p1 & MASK32
    c3 = p0 & MASK32
    k0 = (k0 + PHILOX_W0) & MASK32
    k1 = (k1 + PHILOX_W1) & MASK32
    p0 = PHILOX_M0 * c0
    p1 = PHILOX_M1 * c2
    c0 = ((p1 >> 32) & MASK32) ^ c1 ^ k0
    c2 = ((p0 >> 32) & MASK32) ^ c3 ^ k1
    c1 = p1 & MASK32
    c3 = p0 & MASK32
    return c0, c1, c2, c3

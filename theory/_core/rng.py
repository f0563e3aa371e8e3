"""One meaning of ``rng=`` everywhere: None, int, SeedSequence, BitGenerator or Generator."""

from __future__ import annotations

import numpy as np

RNG = int | np.integer | np.random.SeedSequence | np.random.BitGenerator | np.random.Generator | None


def generator(rng: RNG) -> np.random.Generator:
    """Return a numpy Generator; an existing one is used as it is.

    Raises
    ------
    TypeError
        If `rng` is a legacy RandomState or another type.
    ValueError
        If `rng` is a negative integer.
    """
    return np.random.default_rng(_checked(rng))


def seed_sequence(rng: RNG) -> np.random.SeedSequence:
    """Return a SeedSequence from `rng`; a Generator gives a child, so that later calls differ."""
    rng = _checked(rng)
    if isinstance(rng, np.random.SeedSequence):
        return rng
    if isinstance(rng, np.random.Generator):
        rng = rng.bit_generator
    if isinstance(rng, np.random.BitGenerator):
        source = rng.seed_seq
        if not isinstance(source, np.random.SeedSequence):
            message = "rng holds no SeedSequence to spawn from; pass an integer seed"
            raise TypeError(message)
        return source.spawn(1)[0]
    return np.random.SeedSequence(None if rng is None else int(rng))


def _checked(rng: RNG) -> RNG:
    kinds = (int, np.integer, np.random.SeedSequence, np.random.BitGenerator, np.random.Generator)
    if isinstance(rng, bool) or not (rng is None or isinstance(rng, kinds)):
        message = (
            f"rng is a {type(rng).__name__}; expected None, a non-negative int, a SeedSequence, a BitGenerator or "
            "a Generator such as numpy.random.default_rng(0)"
        )
        raise TypeError(message)
    if isinstance(rng, int | np.integer) and rng < 0:
        message = f"rng is {rng}; a seed must be at least 0"
        raise ValueError(message)
    return rng

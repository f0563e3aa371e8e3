"""The plan of a run: the key of its random numbers, its blocks and its looks."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Sequence

import numpy as np

RNG_VERSION = 1
BLOCK = 1024
"""Replicates in a block. Looks fall on whole blocks, whatever the threads did."""
LOOK_RATIO = 1.1


def fingerprint(value: object) -> str:
    """Return the canonical JSON of plain data, floats by their bits."""

    def plain(item: object) -> object:
        if isinstance(item, bool | int | str) or item is None:
            return item
        if isinstance(item, float):
            return item.hex()
        if isinstance(item, Sequence):
            return [plain(part) for part in item]
        message = f"cannot fingerprint a {type(item).__name__}"
        raise TypeError(message)

    return json.dumps(plain(value), separators=(",", ":"), ensure_ascii=True)


def replicate_key(seed: int, name: str, version: int, params: Sequence[float]) -> tuple[int, int]:
    """Return the Philox key of a case: 64 bits from the seed and the hash of (name, version, parameters).

    Parameters
    ----------
    seed : int
        Seed of the run, any size.
    name : str
        Identifier of the case.
    version : int
        Version of its kernel's meaning.
    params : sequence of float
        Parameters of the kernel.
    """
    words = hashlib.blake2b(fingerprint([name, version, list(params)]).encode(), digest_size=16).digest()
    spawn = tuple(int.from_bytes(words[i : i + 4], "little") for i in range(0, 16, 4))
    k0, k1 = np.random.SeedSequence(entropy=seed, spawn_key=spawn).generate_state(2, np.uint32)
    return int(k0), int(k1)


def spec_hash(
    *, name: str, kernel: str, params: Sequence[float], key: tuple[int, int], scales: Sequence[float], block: int
) -> str:
    """Return the hash of everything that can change a bit of the totals of a case."""
    text = fingerprint([RNG_VERSION, name, kernel, list(params), list(key), list(scales), block])
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def look_schedule(budget: int, block: int = BLOCK, ratio: float = LOOK_RATIO) -> list[int]:
    """Return the block counts at which verdicts are looked for: geometric, the last one the whole budget.

    Parameters
    ----------
    budget : int
        Replicates, rounded up to whole blocks.
    """
    last = max(1, math.ceil(budget / block))
    looks = [1]
    while looks[-1] < last:
        looks.append(min(last, max(looks[-1] + 1, int(looks[-1] * ratio))))
    return looks

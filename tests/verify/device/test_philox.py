import os
from pathlib import Path

import numpy as np
import pytest

from asymptopia.verify.device import philox
from asymptopia.verify.device.philox import philox4x32

ONES = 0xFFFFFFFF
# published with Random123 (Salmon et al. 2011): counter, key, expected
KNOWN = [
    ((0, 0, 0, 0), (0, 0), (0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8)),
    ((ONES, ONES, ONES, ONES), (ONES, ONES), (0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD)),
    (
        (0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344),
        (0xA4093822, 0x299F31D0),
        (0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1),
    ),
    ((1, 2, 3, 4), (5, 6), (0xC0C839BC, 0x889C87C5, 0x61986739, 0x2D4623D0)),
]


def published() -> list[tuple[list[int], list[int], list[int]]]:
    folder = Path(os.environ.get("ASYMPTOPIA_DATA") or Path(__file__).parents[4] / "shared" / "data")
    path = folder / "random123" / "kat_vectors"
    if not path.is_file():
        pytest.skip(f"no known answers of Random123 at {path}; set ASYMPTOPIA_DATA to the folder of data sets")
    rows = [line.split() for line in path.read_text().splitlines() if line.startswith("philox4x32 10 ")]
    numbers = [[int(word, 16) for word in row[2:]] for row in rows]
    return [(row[:4], row[4:6], row[6:]) for row in numbers]


@pytest.mark.parametrize(("counter", "key", "expected"), KNOWN)
def test_known_answers(counter, key, expected):
    assert philox4x32(*counter, *key) == expected


def test_published_file():
    rows = published()
    assert len(rows) >= 3
    for counter, key, expected in rows:
        assert philox4x32(*counter, *key) == tuple(expected)


@pytest.mark.parametrize("name", ["PHILOX_M0", "PHILOX_M1", "PHILOX_W0", "PHILOX_W1", "MASK32"])
def test_known_answers_catch_a_changed_constant(monkeypatch, name):
    monkeypatch.setattr(philox, name, getattr(philox, name) ^ 0x10000)
    assert any(philox4x32(*counter, *key) != expected for counter, key, expected in KNOWN)


def test_counters_and_keys_count_modulo_32_bits():
    wide = [value + (i + 1) * 2**32 for i, value in enumerate((1, 2, 3, 4, 5, 6))]
    assert philox4x32(*wide) == KNOWN[3][2]
    assert philox4x32(-1, -1, -1, -1, -1, -1) == KNOWN[1][2]


def test_second_implementation():
    randomgen = pytest.importorskip("randomgen")
    key, counter = 0x0123456789ABCDEF, 41
    generator = randomgen.Philox(key=key, counter=counter, number=4, width=32)
    # it counts before it draws, and joins two words to one raw value
    raw = [int(value) for value in generator.random_raw(4 * 5)]
    ours = [word for i in range(5) for word in philox4x32(counter + 1 + i, 0, 0, 0, key & ONES, key >> 32)]
    assert raw == ours


def test_avalanche():
    """One changed input bit changes each output bit with chance 1/2.

    The number of changes of an output bit in n flips is binomial(n, 1/2); 6.1 standard deviations have the two-sided
    rate 1e-9 a bit, so 1e-6 over all.
    """
    rng = np.random.default_rng(5)
    changes = np.zeros((192, 128))
    rounds = 40
    for _ in range(rounds):
        base = [int(v) for v in rng.integers(0, 2**32, 6)]
        before = philox4x32(*base)
        for bit in range(192):
            flipped = list(base)
            flipped[bit // 32] ^= 1 << (bit % 32)
            after = philox4x32(*flipped)
            text = "".join(f"{a ^ b:032b}" for a, b in zip(before, after, strict=True))
            changes[bit] += np.array(list(text), dtype=float)
    for sums, n in ((changes.sum(axis=0), 192 * rounds), (changes.sum(axis=1), 128 * rounds)):
        z = (sums - n / 2) / np.sqrt(n / 4)
        assert np.abs(z).max() < 6.1

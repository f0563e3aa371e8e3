"""Plans: keys, looks and hashes."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from asymptopia.verify.engine.plan import fingerprint, look_schedule, replicate_key, spec_hash


def test_looks_are_geometric_and_end_at_the_budget() -> None:
    looks = look_schedule(1_000_000, 1024)
    assert looks[0] == 1
    assert looks[-1] == 977
    assert all(b > a for a, b in pairwise(looks))
    late = [b / a for a, b in pairwise(looks) if a > 50][:-1]
    assert max(late) <= 1.1
    assert min(late) > 1.07


def test_a_budget_below_a_block_is_one_block() -> None:
    assert look_schedule(1) == [1]


def test_key_is_stable() -> None:
    # part of the reproducibility contract: a change of this value is a new rng version
    words = replicate_key(0, "scorecard.null_law[B=10]", 1, [10.0, 0.1])
    assert words == replicate_key(0, "scorecard.null_law[B=10]", 1, [10.0, 0.1])
    assert all(0 <= word < 2**32 for word in words)


@pytest.mark.parametrize(
    "other",
    [
        (1, "a.b[c]", 1, [1.0]),
        (0, "a.b[d]", 1, [1.0]),
        (0, "a.b[c]", 2, [1.0]),
        (0, "a.b[c]", 1, [np.nextafter(1.0, 2.0)]),
        (2**80, "a.b[c]", 1, [1.0]),
    ],
)
def test_key_depends_on_everything_that_names_a_case(other: tuple[int, str, int, list[float]]) -> None:
    assert replicate_key(0, "a.b[c]", 1, [1.0]) != replicate_key(*other)


def test_keys_of_many_cases_do_not_collide() -> None:
    keys = {replicate_key(0, f"case{i}", 1, []) for i in range(2000)}
    assert len(keys) == 2000


def test_fingerprint_separates_floats_by_their_bits() -> None:
    assert fingerprint([0.1 + 0.2]) != fingerprint([0.3])
    assert fingerprint([1]) != fingerprint([1.0])
    with pytest.raises(TypeError, match="cannot fingerprint a object"):
        fingerprint([object()])


def test_spec_hash_sees_each_part() -> None:
    base = {"name": "a", "kernel": "k", "params": [1.0], "key": (1, 2), "scales": [0.5], "block": 1024}
    changed = {"name": "b", "kernel": "l", "params": [2.0], "key": (1, 3), "scales": [0.25], "block": 512}
    hashes = {spec_hash(**base)} | {spec_hash(**{**base, key: value}) for key, value in changed.items()}
    assert len(hashes) == 7

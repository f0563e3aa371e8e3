"""One meaning of rng."""

import numpy as np
import pytest

from asymptopia.theory._core.rng import generator, seed_sequence


def test_same_seed_same_numbers():
    kinds = (7, np.int64(7), np.random.SeedSequence(7), np.random.PCG64(7), np.random.default_rng(7))
    drawn = [generator(kind).integers(0, 2**40, 5).tolist() for kind in kinds]
    assert drawn == [drawn[0]] * 5
    assert generator(8).integers(0, 2**40, 5).tolist() != drawn[0]


def test_generator_is_used_as_it_is():
    rng = np.random.default_rng(1)
    assert generator(rng) is rng
    assert generator(None).random() != generator(None).random()


def test_seed_sequences():
    same = seed_sequence(7), seed_sequence(np.int32(7)), seed_sequence(np.random.SeedSequence(7))
    assert len({tuple(sequence.generate_state(4)) for sequence in same}) == 1
    rng = np.random.default_rng(7)
    first, second = seed_sequence(rng), seed_sequence(rng)
    assert tuple(first.generate_state(4)) != tuple(second.generate_state(4))
    assert tuple(first.generate_state(4)) == tuple(seed_sequence(np.random.PCG64(7)).generate_state(4))
    assert seed_sequence(None).entropy != seed_sequence(None).entropy


REFUSED = [np.random.RandomState(0), "7", 7.0, True, [7], np.array([7])]


@pytest.mark.parametrize("bad", REFUSED, ids=lambda value: type(value).__name__)
def test_other_types_are_refused(bad):
    for function in (generator, seed_sequence):
        with pytest.raises(TypeError, match=r"rng is a .*numpy.random.default_rng\(0\)"):
            function(bad)


@pytest.mark.parametrize("bad", [-1, np.int64(-3)])
def test_negative_seeds_are_refused(bad):
    for function in (generator, seed_sequence):
        with pytest.raises(ValueError, match="a seed must be at least 0"):
            function(bad)


def test_bit_generator_without_a_seed_sequence():
    class Fixed(np.random.bit_generator.ISeedSequence):
        def generate_state(self, n_words, dtype=np.uint32):
            return np.ones(n_words, dtype=dtype)

    with pytest.raises(TypeError, match="pass an integer seed"):
        seed_sequence(np.random.PCG64(Fixed()))

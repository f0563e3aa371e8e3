import numpy as np
import pytest
from scipy import stats

from asymptopia.verify.device import stream as module
from asymptopia.verify.device.philox import philox4x32
from asymptopia.verify.device.stream import substream, uniform, uniform_pair, words, words_to_uniform

STREAM = (11, 22, 33, 44, 0)
ALARM = 1e-6


def first_uniforms(stream, params):
    u, j = uniform(stream, 0)
    v, j = uniform(stream, j)
    a, b, j = uniform_pair(stream, j)
    c, j = uniform(substream(stream, 1), 0)
    return u, v, a, b, c


def test_counter_layout():
    assert words(STREAM, 7) == philox4x32(7, 33, 44, 0, 11, 22)
    assert words(substream(STREAM, 5), 7) == philox4x32(7, 33, 44, 5, 11, 22)


def test_uniform_is_open_and_symmetric():
    top = 0xFFFFFFFF
    assert words_to_uniform(0, 0) == 2.0**-53
    assert words_to_uniform(top, top) == 1.0 - 2.0**-53
    assert words_to_uniform(1 << 31, 0) == 0.5 + 2.0**-53
    # the twelve lowest bits are not used
    assert words_to_uniform(0, 0xFFF) == 2.0**-53
    for high, low in ((5, 77), (123456789, 987654321)):
        assert words_to_uniform(high, low) + words_to_uniform(top - high, top - low) == 1.0
        assert (words_to_uniform(high, low) * 2.0**53) % 2 == 1.0


def test_fifty_three_bits_would_reach_one():
    """The reason for 52 bits: the usual 53 bits plus half a unit round to 1."""
    assert (2**53 - 1) * 2.0**-53 + 2.0**-54 == 1.0


def test_positions():
    u, j = uniform(STREAM, 3)
    a, b, i = uniform_pair(STREAM, 3)
    assert (j, i) == (4, 4)
    assert u == a != b


@pytest.mark.parametrize("key", [(2024, 7), (0, 0), (0xFFFFFFFF, 1)])
def test_law(draw, key):
    values = draw(first_uniforms, 50_000, size=5, key=key)
    for column in values.T:
        assert stats.kstest(column, "uniform").pvalue > ALARM
    # pairs on a 16 x 16 grid: draws of one replicate, the same draw of neighbouring replicates, substreams
    first = values[:, 0]
    pairs = [(first, values[:, 1]), (values[:, 2], values[:, 3]), (first, values[:, 4]), (first[:-1], first[1:])]
    for a, b in pairs:
        cells = np.bincount((16 * (a * 16).astype(int) + (b * 16).astype(int)), minlength=256)
        assert stats.chisquare(cells).pvalue > ALARM


def test_neighbouring_keys(draw):
    a, b = (draw(first_uniforms, 50_000, size=5, key=(key, 7))[:, 0] for key in (1, 2))
    assert abs(np.corrcoef(a, b)[0, 1]) < stats.norm.isf(ALARM / 2) / np.sqrt(50_000)


def test_law_test_can_fail(draw):
    """What the chi-square test is for: a conversion that drops the lowest of the four leading bits."""
    values = draw(first_uniforms, 50_000, size=5)[:, 0]
    crippled = np.floor(values * 8) / 8 + (values % 0.0625)
    cells = np.bincount((crippled * 16).astype(int), minlength=16)
    assert stats.chisquare(cells).pvalue < ALARM
    assert module.BELOW_ONE == 1.0 - 2.0**-53

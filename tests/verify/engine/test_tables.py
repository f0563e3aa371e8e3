import math
from fractions import Fraction

import numpy as np
import pytest
from scipy import stats

from asymptopia.verify.device.poisson import table_count
from asymptopia.verify.engine.tables import MAX_CELLS, guide_table


def parts(table):
    buckets = int(table[0])
    return buckets, int(table[1]), np.array(table[2 : 2 + buckets], dtype=int), np.array(table[2 + buckets :])


@pytest.mark.parametrize(
    ("pmf", "first"),
    [
        ([1.0], 0),
        ([0.25, 0.75], -7),
        (stats.poisson(40).pmf(np.arange(200)), 0),
        (stats.geom(1e-3).pmf(np.arange(1, 40_001)), 1),
        ([0.0, 0.5, 0.0, 0.5, 0.0], 3),
    ],
)
def test_layout(pmf, first):
    buckets, start, places, sums = parts(guide_table(pmf, first))
    assert start == first
    assert buckets & (buckets - 1) == 0
    assert buckets >= len(sums)
    assert sums[-1] == 1.0
    assert np.all(np.diff(sums) >= 0)
    # the first sum above the lower end of each bucket
    np.testing.assert_array_equal(places - 2 - buckets, np.searchsorted(sums, np.arange(buckets) / buckets, "right"))
    exact = np.cumsum([Fraction(float(p)) for p in pmf])[: len(sums)]
    assert max(abs(float(s / exact[-1]) - v) for s, v in zip(exact, sums, strict=True)) < 1e-10


def test_sums_are_rounded_once():
    pmf = [0.1] * 10
    sums = parts(guide_table(pmf))[3]
    np.testing.assert_array_equal(sums, [float(Fraction(i + 1, 10)) for i in range(10)])


def test_cut_where_no_uniform_is():
    """Nothing after the sum that every uniform is at or below; the largest one is 1 - 2**-53."""
    sums = parts(guide_table(stats.poisson(3).pmf(np.arange(100))))[3]
    assert len(sums) < 40
    assert table_count(2**32 - 1, 2**32 - 1, guide_table([1.0 - 2.0**-53, 2.0**-53]), 0) == 0
    assert table_count(2**32 - 1, 2**32 - 1, guide_table([1.0 - 2.0**-52, 2.0**-52]), 0) == 1
    assert table_count(0, 0, guide_table([2.0**-53, 1.0 - 2.0**-53]), 0) == 0
    assert table_count(0, 0, guide_table([2.0**-54, 1.0 - 2.0**-54]), 0) == 1


def test_counts_at_the_edges_of_buckets():
    """Uniforms on both sides of every sum and of every bucket take the first sum that reaches them."""
    table = guide_table([0.125, 0.0, 0.3, 0.2, 0.375], first=-2)
    buckets, _, _, sums = parts(table)
    edges = np.concatenate([sums[:-1], np.arange(1, buckets) / buckets])
    for edge in edges.tolist():
        for step in (-1, 0):
            # the uniform just below and just above
            m = math.floor(Fraction(edge) * 2**52 - Fraction(1, 2)) + 1 + step
            u = (m + Fraction(1, 2)) / 2**52
            expected = -2 + sum(Fraction(s) < u for s in sums.tolist())
            assert table_count(m >> 20, (m & 0xFFFFF) << 12, table, 0) == expected


@pytest.mark.parametrize(
    ("pmf", "first", "match"),
    [
        ([], 0, "1 to"),
        ([0.0] * (MAX_CELLS + 1), 0, "1 to"),
        ([0.5, 0.6], 0, "add up to 1"),
        ([0.5, 0.5 - 1e-8], 0, "add up to 1"),
        ([0.0], 0, "add up to 1"),
        ([-0.1, 1.1], 0, "at least 0"),
        ([math.nan, 1.0], 0, "finite"),
        ([math.inf], 0, "finite"),
        ([1.0], 2**53, "first"),
    ],
)
def test_wrong_laws(pmf, first, match):
    with pytest.raises(ValueError, match=match):
        guide_table(pmf, first)

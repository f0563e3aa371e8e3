"""Replicates of the checks of optimal binning: six prebins, at most three bins.

Nodes 0 .. 6 lie between prebins; cumulative counts at the nodes are tuples. A set of inner nodes is the bits of an
integer.
"""

from __future__ import annotations

from asymptopia.verify.device.binomial import binomial
from asymptopia.verify.device.elementary import log
from asymptopia.verify.device.stream import Stream, uniform, uniform_pair

PREBINS = 6
INNER = 62
"""All inner nodes: bits 1 to 5."""
FREE = 0
ASCENDING = 1
EITHER = 2

Counts = tuple[float, float, float, float, float, float, float]


def gain(good: Counts, bad: Counts, start: int, end: int) -> float:
    """Return the Jeffreys term of the bin between two nodes; an empty class counts as half an observation."""
    p = max(good[end] - good[start], 0.5) / good[PREBINS]
    q = max(bad[end] - bad[start], 0.5) / bad[PREBINS]
    return (p - q) * (log(p) - log(q))


def turn(good: Counts, bad: Counts, start: int, middle: int, end: int) -> float:
    """Return a number whose sign is that of the second bin's event rate less the first's."""
    first = (bad[middle] - bad[start]) * (good[end] - good[middle])
    return (bad[end] - bad[middle]) * (good[middle] - good[start]) - first


def allowed(trend: int, low: float, high: float) -> bool:
    """Return whether the least and the largest turn are those of the trend."""
    return trend == FREE or low >= 0.0 or (trend == EITHER and high <= 0.0)


def best_partition(good: Counts, bad: Counts, nodes: int, trend: int) -> tuple[float, int]:
    """Return the largest divergence of at most three bins that end at `nodes`, and their number, by enumeration."""
    best = 0.0
    bins = 1
    for i in range(1, PREBINS):
        if (nodes >> i) & 1 == 0:
            continue
        head = gain(good, bad, 0, i)
        # two bins first, then three: one text for both, for each call is compiled on its own
        for k in range(i, PREBINS):
            if (nodes >> k) & 1 == 0:
                continue
            two = k == i
            end = PREBINS if two else k
            first = turn(good, bad, 0, i, end)
            second = first if two else turn(good, bad, i, k, PREBINS)
            if allowed(trend, min(first, second), max(first, second)):
                value = head + gain(good, bad, i, end) + (0.0 if two else gain(good, bad, k, PREBINS))
                if value > best:
                    best = value
                    bins = 2 if two else 3
    return best, bins


def hull_nodes(good: Counts, bad: Counts, repeat: int) -> int:
    """Return the inner vertices of the greatest convex minorant, by pooling adjacent violators.

    The stack of nodes is an integer in base 8. With ``repeat == 0`` at most one pool follows each prebin: a mutant.
    """
    stack = 0
    depth = 1
    for end in range(1, PREBINS + 1):
        again = 1
        while again == 1 and depth >= 2:
            again = 0
            if turn(good, bad, (stack >> 3) & 7, stack & 7, end) <= 0.0:
                stack >>= 3
                depth -= 1
                again = repeat
        stack = (stack << 3) | end
        depth += 1
    nodes = 0
    while depth > 0:
        nodes |= 1 << (stack & 7)
        stack >>= 3
        depth -= 1
    return nodes & INNER


def partition_value(good: Counts, bad: Counts, nodes: int) -> float:
    """Return the divergence of the bins that end at `nodes`."""
    total = 0.0
    start = 0
    for end in range(1, PREBINS + 1):
        if end == PREBINS or (nodes >> end) & 1 == 1:
            total += gain(good, bad, start, end)
            start = end
    return total


def greedy_value(good: Counts, bad: Counts, nodes: int) -> float:
    """Return the divergence after dropping, while there are more than three bins, the node that costs least."""
    count = 0
    for i in range(1, PREBINS):
        count += (nodes >> i) & 1
    while True:
        # node 0 is in no set: dropping it drops nothing
        candidates = nodes if count > 2 else 1
        best = -1.0
        chosen = nodes
        for i in range(PREBINS):
            if (candidates >> i) & 1 == 1:
                value = partition_value(good, bad, nodes & ~(1 << i))
                if value > best:
                    best = value
                    chosen = nodes & ~(1 << i)
        nodes = chosen
        count -= 1
        if count <= 2:
            return best


def hull_mismatch(stream: Stream, params: list[float]) -> tuple[float, float, float]:
    """Return whether three optimisers miss the best ascending partition into at most three bins on a random instance.

    They are: the best of at most three bins on the hull's nodes, with no look at the trend; the same after a hull with
    single pools; greedy merging of the hull's blocks. params: those of `random_counts`.
    """
    good, bad = random_counts(stream, params)
    exact = hull = single = 0.0
    hull_set = 0
    for attempt in range(3):
        nodes = INNER if attempt == 0 else hull_nodes(good, bad, 2 - attempt)
        value, _ = best_partition(good, bad, nodes, ASCENDING if attempt == 0 else FREE)
        exact = value if attempt == 0 else exact
        hull = value if attempt == 1 else hull
        single = value if attempt == 2 else single
        hull_set = nodes if attempt == 1 else hull_set
    return differs(hull, exact), differs(single, exact), differs(greedy_value(good, bad, hull_set), exact)


def random_counts(stream: Stream, params: list[float]) -> tuple[Counts, Counts]:
    """Return cumulative counts of goods and bads, each at least 1, whose rate rises on average from prebin to prebin.

    params: largest counts of goods and of bads in a prebin, part of a count's mean that follows the trend.
    """
    trend = params[2]
    g1 = g2 = g3 = g4 = g5 = good = 0.0
    b1 = b2 = b3 = b4 = b5 = bad = 0.0
    j = 0
    # one call for all prebins: each would be compiled on its own
    for i in range(PREBINS):
        u, v, j = uniform_pair(stream, j)
        rise = i / (PREBINS - 1.0)
        count, j = binomial(stream, j, int(params[0]) - 1, trend * (1.0 - rise) + (1.0 - trend) * u)
        good += count + 1
        count, j = binomial(stream, j, int(params[1]) - 1, trend * rise + (1.0 - trend) * v)
        bad += count + 1
        g1 = good if i == 0 else g1
        g2 = good if i == 1 else g2
        g3 = good if i == 2 else g3
        g4 = good if i == 3 else g4
        g5 = good if i == 4 else g5
        b1 = bad if i == 0 else b1
        b2 = bad if i == 1 else b2
        b3 = bad if i == 2 else b3
        b4 = bad if i == 3 else b4
        b5 = bad if i == 4 else b5
    return (0.0, g1, g2, g3, g4, g5, good), (0.0, b1, b2, b3, b4, b5, bad)


def differs(value: float, other: float) -> float:
    """Return 1 if two sums of logarithms differ by more than rounding, else 0."""
    return 1.0 if abs(value - other) > 1e-11 else 0.0


def drawn_bads(stream: Stream, j: int, params: list[float]) -> tuple[Counts, int]:
    """Return the cumulative counts of bads drawn without replacement from equal prebins, and the next block.

    params: bads, rows of a prebin.
    """
    size = int(params[1])
    # rows left up to each node
    r1 = size
    r2 = 2 * size
    r3 = 3 * size
    r4 = 4 * size
    r5 = 5 * size
    left = 6 * size
    for _ in range(int(params[0])):
        u, j = uniform(stream, j)
        x = u * left
        left -= 1
        r1 -= 1 if x < r1 else 0
        r2 -= 1 if x < r2 else 0
        r3 -= 1 if x < r3 else 0
        r4 -= 1 if x < r4 else 0
        r5 -= 1 if x < r5 else 0
    rows = params[1]
    return (0.0, rows - r1, 2.0 * rows - r2, 3.0 * rows - r3, 4.0 * rows - r4, 5.0 * rows - r5, params[0]), j


def goods_of(bad: Counts, size: float) -> Counts:
    """Return the cumulative counts of goods in equal prebins."""
    return (
        0.0,
        size - bad[1],
        2.0 * size - bad[2],
        3.0 * size - bad[3],
        4.0 * size - bad[4],
        5.0 * size - bad[5],
        6.0 * size - bad[6],
    )


def permutation_statistics(stream: Stream, params: list[float]) -> tuple[float, float, float, float]:
    """Return whether p <= 1/20 and p <= 1/4, by 19 permutations and by the chi-square law of the optimised bins.

    The estimate is the best monotone partition into at most three bins, of either direction; a feature that has
    nothing to say. params: bads, rows of a prebin, n_e, critical values for two and three bins at 1/20, then at 1/4.
    """
    observed = 0.0
    bins = above = j = 0
    for table in range(20):
        bad, j = drawn_bads(stream, j, params)
        value, count = best_partition(goods_of(bad, params[1]), bad, INNER, EITHER)
        # the first table is the data; ties, to rounding, count against rejection
        if table == 0:
            observed = value
            bins = count
        elif value >= observed * (1.0 - 1e-12):
            above += 1
    statistic = params[2] * observed
    strict = params[3] if bins < 3 else params[4]
    loose = params[5] if bins < 3 else params[6]
    return (
        1.0 if above < 1 else 0.0,
        1.0 if above < 5 else 0.0,
        1.0 if statistic > strict else 0.0,
        1.0 if statistic > loose else 0.0,
    )

"""Numba source of the search: forced merges, hull or programme, and the same for permuted outcomes."""

from __future__ import annotations

TRENDS = {None: 0, "ascending": 1, "descending": -1, "auto": 2, "peak": 3, "valley": 4}
"""Code of each trend of the event rate along the bins."""

SEARCH = '''

FOUND = types.Tuple((F, I[::1], I))


@njit([F[::1](V, I[::1])], **OPTIONS)
def pick(values, nodes):
    out = np.empty(nodes.size)
    for t in range(nodes.size):
        out[t] = values[nodes[t]]
    return out


@njit([I[::1](V, V)], **OPTIONS)
def mixed_nodes(cum_good, cum_bad):
    """Return the nodes that leave goods and bads on both sides, and both ends."""
    end = cum_good.size - 1
    out = np.zeros(end + 1, dtype=np.int64)
    count = 1
    for t in range(1, end):
        if cum_good[t] > 0.0 and cum_bad[t] > 0.0 and cum_good[end] > cum_good[t] and cum_bad[end] > cum_bad[t]:
            out[count] = t
            count += 1
    out[count] = end
    return out[: count + 1].copy()


@njit([ANSWER(V, V, I, I, F, F, types.boolean)], **OPTIONS)
def over_hull(cum_good, cum_bad, kind, bins, n, m, rising):
    """Return the best monotone partition of nodes without pure ends."""
    # a falling share of bads is a rising share of goods
    nodes = minorant(cum_good, cum_bad) if rising else minorant(cum_bad, cum_good)
    x = pick(cum_good, nodes)
    y = pick(cum_bad, nodes)
    blocks = nodes.size - 1
    if bins == 0 or bins >= blocks:
        value = 0.0
        for t in range(blocks):
            value += term(kind, x[t + 1] - x[t], y[t + 1] - y[t], n, m)
        return value, nodes
    none = np.zeros((1, 1), dtype=np.int32)
    value, kept = one_way(gains(x, y, kind, 0.0, n, m, 0.0, 0.0), none, none, bins, 0, False)
    out = np.empty(kept.size, dtype=np.int64)
    for t in range(kept.size):
        out[t] = nodes[kept[t]]
    return value, out


@njit([types.boolean(V, V, I[::1], F, F)], **OPTIONS)
def satisfied(cum_good, cum_bad, nodes, min_rows, min_bads):
    for t in range(nodes.size - 1):
        bads = cum_bad[nodes[t + 1]] - cum_bad[nodes[t]]
        if bads < min_bads or bads + cum_good[nodes[t + 1]] - cum_good[nodes[t]] < min_rows:
            return False
    return True


@njit([FOUND(A, V, V, I, I, I, types.Array(C, 3, "C"), types.Array(C, 3, "C"))], **OPTIONS)
def directed(gain, cum_good, cum_bad, bins, exact, trend, order, upto):
    """Return the best partition of one trend, given the ranks of the rates."""
    if trend > 2:
        value, nodes = turning(gain, order[0], upto[0], order[1], upto[1], bins, exact)
        return value, nodes, trend
    value, nodes = one_way(gain, order[0], upto[0], bins, exact, trend != 0)
    if trend != 2:
        return value, nodes, trend
    other, other_nodes = one_way(gain, order[1], upto[1], bins, exact, True)
    if other > value:
        return other, other_nodes, -1
    return value, nodes, 1


@njit([FOUND(V, V, I, I, I, F, F, F, F, F, F, F)], **OPTIONS)
def by_programme(cum_good, cum_bad, bins, trend, kind, pseudo, n, m, min_rows, min_bads, away_good, away_bad):
    """Return the best partition over all nodes. With pseudo > 0 the value includes the cell that lies apart."""
    size = cum_good.size
    two = 2 if trend > 1 else 1
    side = size if trend else 1
    order = np.zeros((two, side, side), dtype=np.int32)
    upto = np.zeros((two, side, side), dtype=np.int32)
    if trend == 1 or trend == 2 or trend == 3:
        rank(cum_good, cum_bad, order[0], upto[0])
    elif trend:
        rank(cum_bad, cum_good, order[0], upto[0])
    if trend == 2:
        rank(cum_bad, cum_good, order[1], upto[1])
    elif trend > 2:
        tail_good = (cum_good[-1] - cum_good[::-1]).copy()
        tail_bad = (cum_bad[-1] - cum_bad[::-1]).copy()
        if trend == 3:
            rank(tail_good, tail_bad, order[1], upto[1])
        else:
            rank(tail_bad, tail_good, order[1], upto[1])
    limit = 0 if bins >= size - 1 else bins
    if pseudo == 0.0:
        gain = gains(cum_good, cum_bad, kind, 0.0, n, m, min_rows, min_bads)
        return directed(gain, cum_good, cum_bad, limit, 0, trend, order, upto)
    # the smoothed shares depend on the number of cells: one programme for each
    best = -np.inf
    nodes = np.empty(0, dtype=np.int64)
    chosen = trend
    apart = 1 if away_good + away_bad > 0.0 else 0
    for k in range(1, (limit if limit else size - 1) + 1):
        cells = pseudo * (k + apart)
        gain = gains(cum_good, cum_bad, kind, pseudo, n + cells, m + cells, min_rows, min_bads)
        value, found, way = directed(gain, cum_good, cum_bad, k, k, trend, order, upto)
        if apart:
            value += term(kind, away_good + pseudo, away_bad + pseudo, n + cells, m + cells)
        if value > best:
            best = value
            nodes = found
            chosen = way
    return best, nodes, chosen


@njit([FOUND(V, V, F, F, I, I, I, F, F, F, F)], **OPTIONS)
def search(good, bad, away_good, away_bad, bins, trend, kind, pseudo, min_rows, min_bads, floor):
    """Return (value, nodes, trend) of the best partition of ordered prebins beside a cell that lies apart.

    bins = 0 is no limit. The value is that of all cells; of a cell apart that is pure, of its counts plus 1/2 unless
    pseudo > 0. -inf and no nodes: nothing is feasible, or a bound shows that floor is out of reach.
    """
    nothing = np.empty(0, dtype=np.int64)
    cum_good = cumulate(good)
    cum_bad = cumulate(bad)
    n = cum_good[-1] + away_good
    m = cum_bad[-1] + away_bad
    if pseudo > 0.0:
        return by_programme(
            cum_good, cum_bad, bins, trend, kind, pseudo, n, m, min_rows, min_bads, away_good, away_bad
        )
    away = 0.0
    if away_good + away_bad > 0.0:
        half = 0.5 if away_good == 0.0 or away_bad == 0.0 else 0.0
        away = term(kind, away_good + half, away_bad + half, n + half, m + half)
    # a bin needs both outcomes, so no other node can be one
    at = mixed_nodes(cum_good, cum_bad)
    x = pick(cum_good, at)
    y = pick(cum_bad, at)
    value = -np.inf
    nodes = nothing
    way = trend
    if x[-1] == 0.0 or y[-1] == 0.0:
        return value, nothing, trend
    done = False
    if trend == 1 or trend == -1 or trend == 2:
        if trend >= 1:
            value, nodes = over_hull(x, y, kind, bins, n, m, True)
            way = 1
        if trend != 1:
            other, other_nodes = over_hull(x, y, kind, bins, n, m, False)
            if other > value:
                value, nodes, way = other, other_nodes, -1
        # without the constraints the optimum is at least as large
        done = satisfied(x, y, nodes, min_rows, min_bads)
    else:
        value = 0.0
        for t in range(at.size - 1):
            value += term(kind, x[t + 1] - x[t], y[t + 1] - y[t], n, m)
    if value + away < floor:
        return -np.inf, nothing, trend
    if not done:
        value, nodes, way = by_programme(x, y, bins, trend, kind, 0.0, n, m, min_rows, min_bads, 0.0, 0.0)
    for t in range(nodes.size):
        nodes[t] = at[nodes[t]]
    return value + away, nodes, way


@njit([F[::1](V, F, types.Array(I, 2, "C", readonly=True), I, I, I, F, F, F, F)], **OPTIONS)
def search_all(rows, away_rows, draws, bins, trend, kind, pseudo, min_rows, min_bads, floor):
    """Return the largest value for each draw of the bads; the last column of draws is the cell apart."""
    out = np.empty(draws.shape[0])
    size = rows.size
    bad = np.empty(size)
    good = np.empty(size)
    for r in range(draws.shape[0]):
        for t in range(size):
            bad[t] = draws[r, t]
            good[t] = rows[t] - bad[t]
        away = float(draws[r, size])
        out[r] = search(good, bad, away_rows - away, away, bins, trend, kind, pseudo, min_rows, min_bads, floor)[0]
    return out
'''

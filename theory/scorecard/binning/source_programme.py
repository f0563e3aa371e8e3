"""Numba source of the dynamic programmes over the nodes of prebins."""

from __future__ import annotations

PROGRAMME = '''

C = types.int32
P = types.Array(C, 2, "C", readonly=True)
TABLES = types.Tuple((F[:, ::1], C[:, ::1], C[:, :, ::1]))
ANSWER = types.Tuple((F, I[::1]))


@njit([types.boolean(F, F, F, F, F, F)], **OPTIONS)
def below(key_a, g_a, b_a, key_c, g_c, b_c):
    """Return True if the rate of a is less than that of c; quotients that round to the same value are multiplied."""
    if key_a != key_c:
        return key_a < key_c
    return compare(b_a, g_c, b_c, g_a) < 0.0


@njit([types.void(C[::1], C[::1], I, V, V, V)], **OPTIONS)
def sort_by_rate(index, scratch, count, key, g, b):
    """Sort index[:count] by rate: runs by insertion, then merged; equal rates keep their order."""
    run = 12
    for start in range(0, count, run):
        for at in range(start + 1, min(start + run, count)):
            new = index[at]
            spot = at
            while spot > start:
                old = index[spot - 1]
                if not below(key[new], g[new], b[new], key[old], g[old], b[old]):
                    break
                index[spot] = old
                spot -= 1
            index[spot] = new
    while run < count:
        for start in range(0, count - run, 2 * run):
            middle = start + run
            stop = min(middle + run, count)
            last = index[middle - 1]
            new = index[middle]
            if not below(key[new], g[new], b[new], key[last], g[last], b[last]):
                continue
            for at in range(start, middle):
                scratch[at] = index[at]
            left = start
            right = middle
            at = start
            while left < middle and right < stop:
                old = scratch[left]
                new = index[right]
                if below(key[new], g[new], b[new], key[old], g[old], b[old]):
                    index[at] = new
                    right += 1
                else:
                    index[at] = old
                    left += 1
                at += 1
            while left < middle:
                index[at] = scratch[left]
                left += 1
                at += 1
        run *= 2


@njit([types.void(V, V, C[:, ::1], C[:, ::1])], **OPTIONS)
def rank(cum_good, cum_bad, order, upto):
    """For each inner node i: order[i] sorts the segments that end there, upto[i, j] of them may precede (i, j)."""
    last = cum_good.size - 1
    key = np.zeros(last + 1)
    g = np.zeros(last + 1)
    b = np.zeros(last + 1)
    out = np.empty(last + 1, dtype=np.int32)
    scratch = np.empty(last + 1, dtype=np.int32)
    for i in range(1, last):
        for t in range(last + 1):
            g[t] = abs(cum_good[i] - cum_good[t])
            b[t] = abs(cum_bad[i] - cum_bad[t])
            rows = g[t] + b[t]
            key[t] = b[t] / rows if rows > 0.0 else 0.0
            if t < i:
                order[i, t] = t
            elif t > i:
                out[t - i - 1] = t
        sort_by_rate(order[i], scratch, i, key, g, b)
        sort_by_rate(out, scratch, last - i, key, g, b)
        count = 0
        for position in range(last - i):
            j = out[position]
            while count < i:
                l = order[i, count]
                if below(key[j], g[j], b[j], key[l], g[l], b[l]):
                    break
                count += 1
            upto[i, j] = count


@njit([TABLES(A, P, P, I, types.boolean)], **OPTIONS)
def tables(gain, order, upto, bins, monotone):
    """Return best[k, j], the value of the best partition of the first j prebins into k bins, with its back pointers.

    With bins = 0 the number of bins is free and best[1, j] holds the value.
    """
    size = gain.shape[0]
    free = bins == 0
    layers = 1 if free else bins
    best = np.full((layers + 1, size), -np.inf)
    last = np.full((layers + 1, size), -1, dtype=np.int32)
    parent = np.full((layers + 1, size, size) if monotone else (1, 1, 1), -1, dtype=np.int32)
    best[0, 0] = 0.0
    for j in range(1, size):
        best[1, j] = gain[0, j]
        last[1, j] = 0
    if not monotone:
        for k in range(1 if free else 2, layers + 1):
            before = best[k if free else k - 1]
            now = best[k]
            for i in range(1, size):
                value = before[i]
                if value == -np.inf:
                    continue
                for j in range(i + 1, size):
                    reached = value + gain[i, j]
                    if reached > now[j]:
                        now[j] = reached
                        last[k, j] = i
        return best, last, parent
    before = np.full((size, size), -np.inf)
    now = before
    top = np.empty(size)
    who = np.empty(size, dtype=np.int32)
    for j in range(1, size):
        now[j, 0] = gain[0, j]
    for k in range(1 if free else 2, layers + 1):
        if not free:
            before, now = now, (np.full((size, size), -np.inf) if k == 2 else before)
            now[:] = -np.inf
        for i in range(1, size - 1):
            # best predecessor among the count segments of lowest rate that end in i
            value = -np.inf
            chosen = np.int32(-1)
            for count in range(i):
                l = order[i, count]
                if before[i, l] > value:
                    value = before[i, l]
                    chosen = l
                top[count] = value
                who[count] = chosen
            if value == -np.inf:
                continue
            for j in range(i + 1, size):
                count = upto[i, j]
                if count == 0:
                    continue
                reached = top[count - 1] + gain[i, j]
                if reached > -np.inf:
                    now[j, i] = reached
                    parent[k, j, i] = who[count - 1]
                    if reached > best[k, j]:
                        best[k, j] = reached
                        last[k, j] = i
    return best, last, parent


@njit([I[::1](types.Array(C, 2, "C"), types.Array(C, 3, "C"), I, I, types.boolean, types.boolean)], **OPTIONS)
def trace(last, parent, k, j, monotone, free):
    """Return the nodes of the partition of the first j prebins into k bins."""
    out = np.zeros(last.shape[1] + 1, dtype=np.int64)
    at = out.size - 1
    out[at] = j
    if j > 0:
        i = last[k, j]
        while True:
            at -= 1
            out[at] = i
            if i == 0:
                break
            if monotone:
                l = parent[k, j, i]
            else:
                l = last[k if free else k - 1, i]
            j = i
            i = l
            if not free:
                k -= 1
    return out[at:].copy()


@njit([I(F[:, ::1], I)], **OPTIONS)
def best_layer(best, exact):
    """Return the fewest bins with the largest value of the whole, or exact where that is positive."""
    if exact > 0:
        return exact
    end = best.shape[1] - 1
    found = 1
    for k in range(2, best.shape[0]):
        if best[k, end] > best[found, end]:
            found = k
    return found


@njit([ANSWER(A, P, P, I, I, types.boolean)], **OPTIONS)
def one_way(gain, order, upto, bins, exact, monotone):
    best, last, parent = tables(gain, order, upto, bins, monotone)
    end = gain.shape[0] - 1
    k = best_layer(best, exact)
    if best[k, end] == -np.inf:
        return -np.inf, np.empty(0, dtype=np.int64)
    return best[k, end], trace(last, parent, k, end, monotone, bins == 0)


@njit([ANSWER(A, P, P, P, P, I, I)], **OPTIONS)
def turning(gain, order, upto, order_back, upto_back, bins, exact):
    """Return the best union of a monotone partition of a head and one of the tail, read backwards."""
    size = gain.shape[0]
    end = size - 1
    back = np.empty((size, size))
    for i in range(size):
        for j in range(size):
            back[i, j] = gain[end - j, end - i]
    head, head_last, head_parent = tables(gain, order, upto, bins, True)
    tail, tail_last, tail_parent = tables(back, order_back, upto_back, bins, True)
    free = bins == 0
    layers = head.shape[0] - 1
    value = -np.inf
    turn, first, second = 0, 0, 0
    for total in range(exact if exact > 0 else 1, (exact if exact > 0 else (2 if free else layers)) + 1):
        for k in range(min(total, layers) + 1):
            if total - k > layers:
                continue
            for t in range(size):
                reached = head[k, t] + tail[total - k, end - t]
                if reached > value:
                    value = reached
                    turn, first, second = t, k, total - k
    if value == -np.inf:
        return value, np.empty(0, dtype=np.int64)
    left = trace(head_last, head_parent, first, turn, True, free)
    right = trace(tail_last, tail_parent, second, end - turn, True, free)
    nodes = np.empty(left.size + right.size - 1, dtype=np.int64)
    nodes[: left.size] = left
    for r in range(right.size - 1):
        nodes[left.size + r] = end - right[right.size - 2 - r]
    return value, nodes


@njit([ANSWER(A, V, V, I, I), ANSWER(A, W, W, I, I)], **OPTIONS)
def programme(gain, cum_good, cum_bad, max_bins, trend):
    """Return (value, nodes) of the best partition into at most max_bins segments, of any number for max_bins = 0.

    trend 1 is a non-decreasing event rate along the bins, -1 a non-increasing one, 0 none.
    """
    size = gain.shape[0]
    bins = 0 if max_bins >= size - 1 else max_bins
    order = np.zeros((size, size) if trend else (1, 1), dtype=np.int32)
    upto = np.zeros_like(order)
    x = cum_good.astype(np.float64)
    y = cum_bad.astype(np.float64)
    if trend > 0:
        rank(x, y, order, upto)
    elif trend < 0:
        # a falling share of bads is a rising share of goods
        rank(y, x, order, upto)
    return one_way(gain, order, upto, bins, 0, trend != 0)
'''

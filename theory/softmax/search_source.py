"""Compiled source of the search for the nearest zero of one sample; needs those of the levels, values and arcs."""

SOURCE = '''
CERTIFIED, MULTIPLE, UNSETTLED = 0, 1, 2
SAME = 1e-11


@njit(error_model="numpy", nogil=True)
def newton(mass, x, count, s, cap, w):
    """Return a zero of F near s in the upper half plane, or nan."""
    for _ in range(60):
        f, d, total = value(mass, x, count, s, w)
        if d == 0j:
            return complex(np.nan, np.nan)
        step = -f / d
        size = abs(step)
        if size > cap:
            step *= cap / size
        s += step
        if s.imag < 0.0:
            s = complex(s.real, -s.imag)
        # the error after a step is of the order of the square of the step
        if size <= 1e-9:
            break
    f, d, total = value(mass, x, count, s, w)
    # three levels and more have |Im s| > pi, two have pi; a stalled iteration at a multiple zero passes as well
    if abs(f) <= max(1e-9, 10.0 * noise(abs(s))) * total and s.imag > 3.14:
        return s
    return complex(np.nan, np.nan)


@njit(error_model="numpy", nogil=True)
def edge_zero(mass, x, count, level, u):
    """Return the zero near the real part u at which the other levels equal `level`, by Newton on the logarithm.

    Logits may exceed 1e300, so only the distance from u is iterated, about masses that equal that of `level` at u.
    """
    odds, slope = log_others(mass, x, count, level, u)
    own = np.empty(count)
    for k in range(count):
        own[k] = math.exp((mass[k] - mass[level]) + (x[k] - x[level]) * u - odds) if k != level else 0.0
    h = complex(0.0, PI / max(abs(slope), 1e-300))
    for _ in range(40):
        total = d = 0j
        for k in range(count):
            if own[k] > 1e-30:
                gap = x[k] - x[level]
                angle = gap * h.imag
                term = own[k] * math.exp(gap * h.real) * complex(math.cos(angle), math.sin(angle))
                total += term
                d += gap * term
        if total == 0j or d == 0j:
            return complex(np.nan, np.nan)
        step = -complex(math.log(abs(total)), math.atan2(-total.imag, -total.real)) * total / d
        h += step
        if not (abs(h.real) < 60.0 and abs(h.imag) < FARTHEST):
            return complex(np.nan, np.nan)
        if abs(step) <= 1e-8:
            break
    if abs(h.imag) <= 3.14 or abs(step) > 1e-6 * abs(h):
        return complex(np.nan, np.nan)
    return complex(u + h.real, abs(h.imag))


@njit(error_model="numpy", nogil=True)
def poles(mass, x, count, w):
    """Return the nearest zero as the Taylor coefficients of log F about 0 see it, to orders 10 and 20, or nan.

    Those of the derivative follow a recurrence of two terms where one pair of zeros is nearest.
    """
    total, mean, _, _ = weigh(mass, x, count, 0.0, w)
    m, c = np.zeros(24), np.zeros(24)
    m[0] = 1.0
    for k in range(count):
        place = x[k] - 0.5 - mean
        power = math.exp(mass[k]) / total
        for n in range(1, 24):
            power *= place / n
            m[n] += power
    # the masses are relative to the largest logit, the sum to the largest level
    scale = 0.0
    for k in range(count):
        scale += math.exp(mass[k]) / total
    for n in range(1, 24):
        m[n] /= scale
        fed = 0.0
        for j in range(1, n):
            fed += j * c[j] * m[n - j]
        c[n] = m[n] - fed / n
    first = second = complex(np.nan, np.nan)
    for n in (10, 20):
        d0, d1, d2, d3 = n * c[n], (n + 1) * c[n + 1], (n + 2) * c[n + 2], (n + 3) * c[n + 3]
        under = d1 * d1 - d0 * d2
        if under == 0.0:
            continue
        trace, product = (d1 * d2 - d0 * d3) / under, (d2 * d2 - d1 * d3) / under
        inside = 4.0 * product - trace * trace
        if inside > 0.0:
            s = complex(0.5 * trace, 0.5 * math.sqrt(inside)) / product
            if n == 10:
                first = s
            else:
                second = s
    return first, second


@njit(error_model="numpy", nogil=True)
def cluster(mass, x, count, s, w):
    """Return the centroid and the number of the zeros near s, by the argument principle on circles; 0 if none fits."""
    for r in (1e-3, 3e-3, 1e-2, 3e-2, 0.1, 0.3):
        radius = r * abs(s)
        points = 64
        number = moment = 0j
        for i in range(points):
            arm = radius * complex(math.cos(2 * PI * (i + 0.5) / points), math.sin(2 * PI * (i + 0.5) / points))
            f, d, _ = value(mass, x, count, s + arm, w)
            if f == 0j:
                number = complex(np.nan, 0.0)
                break
            number += d / f * arm / points
            moment += arm * d / f * arm / points
        found = math.floor(number.real + 0.5)
        if found >= 1 and abs(number - found) < 1e-7:
            return s + moment / found, int(found)
    return s, 0


@njit(error_model="numpy", nogil=True)
def group(mass, x, count, s, w):
    """Return the centre of the zeros about s, radii within and from which they alone turn F, their number, and more.

    With coefficients g of F about the centre there are m zeros within r where the terms but g_m h^m come to less than
    half of it at distance r. More is the zero nearest to 0, how many lie at its modulus, and whether rounding hides
    where they lie about the centre. The number is 0 where no m up to 8 fits.
    """
    g = np.empty(TERMS, dtype=np.complex128)
    for m in range(1, 9):
        centre = s
        for _ in range(8):
            expand(mass, x, count, centre, g, w)
            # numba raises where a complex number is divided by 0
            if g[m] == 0j:
                break
            shift = -g[m - 1] / (m * g[m])
            if not abs(shift) < 0.5:
                break
            centre += shift
            if abs(shift) < 1e-9:
                break
        rest = expand(mass, x, count, centre, g, w)
        blur = noise(abs(centre))
        outer = inner = 0.0
        r = 2.0
        for _ in range(120):
            if leads(g, rest, blur, m, r, 0.5):
                outer = max(outer, r)
                inner = r
            elif outer > 0.0:
                break
            r *= 0.8
        lead = abs(g[m])
        # at the outer radius F must stand out from rounding, for the argument is followed up to there
        if not (inner < 0.5 * outer and abs(centre - s) < outer and lead * outer**m > 200.0 * blur):
            continue
        blurred = 0.0
        factorial = 1.0
        for n in range(m):
            blurred = max(blurred, (8.0 * m * blur / factorial / lead) ** (1.0 / (m - n)))
            factorial *= n + 1
        if m == 1 or inner <= 2.0 * blurred:
            return centre, outer, inner, m, centre, m, m > 1
        roots = np.empty(m, dtype=np.complex128)
        for k in range(m):
            roots[k] = 0.3 * inner * complex(math.cos(2.0 * PI * k / m + 0.4), math.sin(2.0 * PI * k / m + 0.4))
        for _ in range(200):
            moved = 0.0
            for k in range(m):
                p, under = g[m], g[m]
                for n in range(m - 1, -1, -1):
                    p = p * roots[k] + g[n]
                for j in range(m):
                    if j != k:
                        under *= roots[k] - roots[j]
                if under == 0j:
                    continue
                roots[k] -= p / under
                moved = max(moved, abs(p / under))
            if moved < 1e-14 * inner:
                break
        hidden = False
        blurs = np.zeros(m)
        for k in range(m):
            # the polynomial leaves out what is beyond its degree: Newton on F where that can be seen
            root = newton(mass, x, count, centre + roots[k], 0.1 * inner, w)
            f, d, total = value(mass, x, count, root, w)
            blurs[k] = 2.0 * noise(abs(root)) * total / abs(d)
            hidden = hidden or not (abs(root - centre) < inner and blurs[k] < 1e-3 * inner)
            roots[k] = root if abs(root - centre) < inner else centre + roots[k]
        best = complex(np.inf, 0.0)
        for k in range(m):
            for j in range(k):
                hidden = hidden or abs(roots[k] - roots[j]) < 10.0 * (blurs[k] + blurs[j])
            if abs(roots[k]) < abs(best):
                best = roots[k]
        if hidden:
            return centre, outer, inner, m, centre, m, True
        many = 0
        for k in range(m):
            many += abs(roots[k]) <= abs(best) * (1.0 + SAME)
        return centre, outer, inner, m, best, many, False
    return s, 0.0, 0.0, 0, s, 0, True


@njit(error_model="numpy", nogil=True)
def join(mass, x, count, s, marks, about, known, w):
    """Add a zero, or the group it belongs to, to the known ones; return how many are known, and whether it was new.

    A row of `about` has the radius within which the group is alone, its number, the radius that holds it, its zero
    nearest to 0 (two numbers), how many lie at that modulus, and 1 where rounding hides them.
    """
    if not abs(s) < FARTHEST:
        return known, False
    for m in range(known):
        if abs(s - marks[m]) <= max(0.5 * about[m, 0], 1e-9 * abs(s)):
            return known, False
    at = known
    if known == marks.size:
        # the farthest gives way
        at = 0
        for m in range(known):
            if abs(marks[m]) > abs(marks[at]):
                at = m
        if abs(marks[at]) <= abs(s):
            return known, False
    else:
        known += 1
    reach, blur = reach_of(mass, x, count, s, w)
    marks[at] = s
    about[at, 0], about[at, 1], about[at, 2] = reach, 1.0, blur
    about[at, 3], about[at, 4], about[at, 5], about[at, 6] = s.real, s.imag, 1.0, 0.0
    if reach < 0.05 and abs(s) < 1e6:
        centre, outer, inner, number, zero, many, hidden = group(mass, x, count, s, w)
        if number > 0:
            marks[at] = centre
            about[at, 0], about[at, 1], about[at, 2] = outer, number, inner
            about[at, 3], about[at, 4], about[at, 5], about[at, 6] = zero.real, zero.imag, many, 1.0 * hidden
    return known, True


@njit(error_model="numpy", nogil=True)
def least_of(about, known):
    """Return the known zero nearest to 0, of a pair that with positive real part; its row; how many are as near."""
    row = -1
    for m in range(known):
        if row < 0 or math.hypot(about[m, 3], about[m, 4]) < math.hypot(about[row, 3], about[row, 4]):
            row = m
    if row < 0:
        return complex(np.inf, 0.0), -1, 0
    many = 0
    size = math.hypot(about[row, 3], about[row, 4])
    for m in range(known):
        if math.hypot(about[m, 3], about[m, 4]) <= size * (1.0 + SAME):
            many += int(about[m, 5])
            if about[m, 3] > about[row, 3]:
                row = m
    return complex(about[row, 3], about[row, 4]), row, many


@njit(error_model="numpy", nogil=True)
def spray(mass, x, count, floor, marks, about, known, w):
    """Add what Newton finds from eight starts on a circle."""
    for j in range(1, 9):
        angle = PI * j / 9.0
        start = 1.15 * floor * complex(math.cos(angle), math.sin(angle)) + 0.3j
        s = newton(mass, x, count, start, max(1.5, 0.1 * floor), w)
        known, _ = join(mass, x, count, s, marks, about, known, w)
    return known


@njit(error_model="numpy", nogil=True)
def approach(mass, x, count, level, right, left, low, high, marks, about, dips, w):
    """Close in on the nearest zero from an empty disc and one with zeros; return how many are known, low and steps.

    On a circle closer and closer to the nearest zero the steps are shortest beside it, and Newton from there ends
    in it. No zero known before is kept.
    """
    steps = 0
    if high == np.inf:
        inside, high = 0, low
        while inside == 0 and high < 1e9:
            low = high
            high = 1.35 * high
            inside, used, _, found = half_disc(
                mass, x, count, high, level, right, left, marks, about, opaque(0), 0.0, dips, w
            )
            steps += used
        if high >= 1e9:
            return 0, low, steps
    none = opaque(0)
    for _ in range(60):
        mid = math.sqrt(low * high) if high > 2.0 * low else 0.5 * (low + high)
        inside, used, stall, found = half_disc(
            mass, x, count, mid, level, right, left, marks, about, none, 0.0, dips, w
        )
        steps += used
        known = opaque(0)
        for i in range(found):
            known, _ = join(mass, x, count, newton(mass, x, count, dips[i], 0.5, w), marks, about, known, w)
        if inside < 0:
            known, _ = join(mass, x, count, newton(mass, x, count, stall, 0.5, w), marks, about, known, w)
        if abs(least_of(about, known)[0]) < high:
            return known, low, steps
        if inside == 0:
            low = mid
        elif inside > 0:
            high = mid
        else:
            # rounding hides F here
            return 0, low, steps
        if high < low * (1.0 + 1e-10):
            break
    return 0, low, steps


@njit(error_model="numpy", nogil=True)
def settle(mass, x, count, level, right, left, best, steps, marks, about, dips, w):
    """Return what can be said where zeros lie too close together for rounding: their centroid, a disc without any."""
    centre, found = cluster(mass, x, count, best, w)
    if found < 1:
        centre = best
    empty, none = PI, opaque(0)
    for gap in (1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 3e-2, 0.1, 0.2, 0.3, 0.5):
        low = abs(centre) * (1.0 - gap)
        inside = 0
        if low > PI:
            inside, used, _, _ = half_disc(mass, x, count, low, level, right, left, marks, about, none, 0.0, dips, w)
            steps += used
        if inside == 0:
            low = max(low, PI)
            empty = max(empty, low)
            high = abs(centre) * (1.0 + gap)
            around, used, _, _ = half_disc(mass, x, count, high, level, right, left, marks, about, none, 0.0, dips, w)
            steps += used
            if around >= 1:
                return centre, around, low, steps, MULTIPLE
    return centre, found, empty, steps, UNSETTLED


@njit(error_model="numpy", nogil=True)
def nearest(mass, x, count, w, limit):
    """Return the zero nearest to 0, how many lie at that modulus, a radius without zeros, steps and verdict.

    A sample whose zeros are seen to lie beyond `limit` is left, with no zero.
    """
    forget(w)
    nothing = complex(np.inf, 0.0)
    top = heaviest(mass, count)
    odds, _ = log_others(mass, x, count, top, 0.0)
    if count == 2:
        s = complex((-odds if top == 0 else odds) + 0.0, PI)
        return s, 1, abs(s), 0, CERTIFIED
    marks, about = np.empty(MOST_MARKS, dtype=np.complex128), np.empty((MOST_MARKS, 7))
    dips = np.empty(2 * MOST_DIPS, dtype=np.complex128)
    known, steps = opaque(0), 0
    right = left = 0.0
    level = opaque(-1)
    floor = PI
    if odds < 0.0:
        level = top
        right, left = inner_edge(mass, x, count, top, 1.0), inner_edge(mass, x, count, top, -1.0)
        floor = math.hypot(min(right, left), PI)
        if floor > limit:
            return nothing, 0, floor, 0, CERTIFIED
        for side, edge in ((1.0, right), (-1.0, left)):
            if edge < FARTHEST:
                s = edge_zero(mass, x, count, top, side * edge)
                if abs(s) < 1e7:
                    s = newton(mass, x, count, s, 1.5, w)
                known, _ = join(mass, x, count, s, marks, about, known, w)
        if known > 0:
            s, _, many = least_of(about, known)
            # the dominance of the top level leaves no room for a nearer zero
            if floor >= abs(s) * (1.0 - 1e-12):
                return s, many, floor, 0, CERTIFIED
    if not abs(least_of(about, known)[0]) < 1.5 * floor + 10.0:
        # nothing yet, or a zero far beyond where two levels of nearly one slope swap
        for s in poles(mass, x, count, w):
            if abs(s) < 1e3:
                known, _ = join(mass, x, count, newton(mass, x, count, s, 1.5, w), marks, about, known, w)
    if not abs(least_of(about, known)[0]) < 1.5 * floor + 30.0:
        known = spray(mass, x, count, floor, marks, about, known, w)
    sprayed = False
    bracketed = floor
    least = 1e-3
    for _ in range(60):
        if known == 0:
            known, bracketed, used = approach(
                mass, x, count, level, right, left, bracketed, np.inf, marks, about, dips, w
            )
            steps += used
            if known == 0:
                return nothing, 0, bracketed, steps, UNSETTLED
        s, row, many = least_of(about, known)
        if about[row, 0] == 0.0:
            return settle(mass, x, count, level, right, left, s, steps, marks, about, dips, w)
        inside, used, stall, found = half_disc(
            mass, x, count, abs(s), level, right, left, marks, about, known, least, dips, w
        )
        steps += used
        if inside == 0:
            if about[row, 6] > 0.0:
                return s, many, abs(marks[row]) - about[row, 2], steps, MULTIPLE
            f, d, total = value(mass, x, count, s, w)
            blur = 2.0 * (abs(f) + noise(abs(s)) * total) / abs(d)
            verdict = CERTIFIED if blur < 1e-9 * abs(s) else MULTIPLE
            return s, many, abs(s) * (1.0 - 1e-12) - blur, steps, verdict
        fresh = False
        if inside < 0:
            known, fresh = join(mass, x, count, newton(mass, x, count, stall, 0.5, w), marks, about, known, w)
            if not fresh:
                if least == 0.0:
                    return settle(mass, x, count, level, right, left, s, steps, marks, about, dips, w)
                least = 0.0
            continue
        for i in range(found):
            known, new = join(mass, x, count, newton(mass, x, count, dips[i], 0.5, w), marks, about, known, w)
            fresh = fresh or (new and abs(least_of(about, known)[0]) < abs(s))
        if not fresh and not sprayed:
            sprayed = True
            before = known
            known = spray(mass, x, count, floor, marks, about, known, w)
            fresh = known > before
        if not fresh:
            more, bracketed, used = approach(
                mass, x, count, level, right, left, bracketed, abs(s) * (1.0 - 1e-9), marks, about, dips, w
            )
            steps += used
            if more == 0:
                return nothing, 0, bracketed, steps, UNSETTLED
            known = more
    return nothing, 0, bracketed, steps, UNSETTLED


@njit(
    [types.Tuple((I, I))(ROWS, ROWS, types.Array(I, 1, "C", readonly=True), I, I, types.Array(F, 1, "C", readonly=True),
                         types.boolean, TABLE, types.Array(I, 2, "C"))],
    cache=True, error_model="numpy", nogil=True,
)
def solve(z, a, order, start, stop, bound, prune, numbers, codes):
    """Solve rows in the order given; return that of the least radius, -1 if all are infinite, and how many were solved.

    Numbers are radius, zero, lower end, half span and log odds; codes the levels, zeros at the modulus, steps, verdict.
    A row whose count stays open has the radius of a disc without zeros. With `prune` rows come in ascending order of
    a lower bound: the search ends where no other can be smaller, and a row seen not to be the least on the way keeps
    its bound.
    """
    mass, x, w = np.empty(z.shape[1]), np.empty(z.shape[1]), np.empty(scratch(z.shape[1]))
    best, least, solved = np.inf, -1, 0
    for at in range(start, stop):
        i = order[at]
        if prune and bound[i] >= best:
            break
        count, half = levels(z[i], a[i], mass, x)
        numbers[i, 4], codes[i, 0] = half, count
        if count == 1:
            numbers[i, 0] = numbers[i, 3] = numbers[i, 5] = np.inf
            numbers[i, 1] = numbers[i, 2] = np.nan
            codes[i, 1] = codes[i, 2] = codes[i, 3] = 0
            continue
        s, many, low, steps, verdict = nearest(mass, x, count, w, 2.0 * best * half if prune else np.inf)
        low = min(low, abs(s))
        numbers[i, 3] = 0.5 * low / half
        if verdict == UNSETTLED or abs(s) == np.inf:
            numbers[i, 0], numbers[i, 1], numbers[i, 2], many = numbers[i, 3], np.nan, np.nan, 0
        else:
            numbers[i, 0], numbers[i, 1], numbers[i, 2] = 0.5 * abs(s) / half, 0.5 * s.real / half, 0.5 * s.imag / half
        numbers[i, 5] = -log_others(mass, x, count, heaviest(mass, count), 0.0)[0]
        codes[i, 1], codes[i, 2], codes[i, 3] = many, steps, verdict
        if prune and verdict != UNSETTLED and abs(s) == np.inf:
            continue
        solved += 1
        if numbers[i, 0] < best:
            best, least = numbers[i, 0], i
    return least, solved
'''

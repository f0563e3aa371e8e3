"""The Markov chain of quadratic-exponential models, as a source that is compiled where it is run."""

from __future__ import annotations

SOURCE = '''"""Gibbs sweeps with slice sampling on the logit."""
import math

import numpy as np
from numba import njit, types

_MATRIX = types.Array(types.float64, 2, "C", readonly=True)
_VECTOR = types.Array(types.float64, 1, "C", readonly=True)
_MOST = 100


@njit(types.uint64(types.uint64, types.uint64), error_model="numpy", inline="always")
def rotate(x, k):
    return (x << k) | (x >> (np.uint64(64) - k))


@njit(types.float64(types.uint64[::1]), error_model="numpy", nogil=True, cache=True)
def uniform(state):
    """Return a number in (0, 1): xoshiro256++."""
    result = rotate(state[0] + state[3], np.uint64(23)) + state[0]
    t = state[1] << np.uint64(17)
    state[2] ^= state[0]
    state[3] ^= state[1]
    state[1] ^= state[2]
    state[0] ^= state[3]
    state[2] ^= t
    state[3] = rotate(state[3], np.uint64(45))
    return (np.float64(result >> np.uint64(11)) + 0.5) * 2.0**-53


@njit([types.float64(*[types.float64] * 4)], error_model="numpy", nogil=True, cache=True)
def log_density(v, a, b, c):
    """Return the log density of the logit v of x: beta(a, b) times exp(c x)."""
    e = math.exp(-abs(v))
    low = -math.log1p(e)
    # log of the larger and of the smaller of x, 1 - x
    if v >= 0.0:
        return a * low + b * (low - v) + c / (1.0 + e)
    return a * (low + v) + b * low + c * e / (1.0 + e)


@njit(
    types.void(
        _MATRIX, _VECTOR, _VECTOR, _VECTOR, _VECTOR, _VECTOR, _VECTOR, _VECTOR, types.Array(types.uint64, 1, "C"),
        types.int64, types.int64, types.float64[:, ::1],
    ),
    error_model="numpy", nogil=True, cache=True,
)
def chain(theta, slope, a, b, width, values, logs, start, seed, burn, thin, out):
    """Run one chain from the logits `start` and write its draws."""
    d, levels, draws = a.size, values.size, out.shape[0]
    state = seed.copy()
    v = start.copy()
    x = np.empty(d)
    for i in range(d):
        x[i] = 1.0 / (1.0 + math.exp(-v[i]))
    weights = np.empty(levels)
    y = 0.0
    for sweep in range(burn + draws * thin):
        if levels > 0:
            along = 0.0
            for i in range(d):
                along += slope[i] * x[i]
            top = -np.inf
            for k in range(levels):
                weights[k] = logs[k] + along * values[k]
                top = max(top, weights[k])
            total = 0.0
            for k in range(levels):
                total += math.exp(weights[k] - top)
                weights[k] = total
            u = uniform(state) * total
            k = 0
            while k < levels - 1 and weights[k] < u:
                k += 1
            y = values[k]
        for i in range(d):
            c = slope[i] * y
            for j in range(d):
                c += theta[i, j] * x[j]
            here = v[i]
            level = log_density(here, a[i], b[i], c) + math.log(uniform(state))
            left = here - width[i] * uniform(state)
            right = left + width[i]
            count = 0
            while count < _MOST and log_density(left, a[i], b[i], c) > level:
                left -= width[i]
                count += 1
            count = 0
            while count < _MOST and log_density(right, a[i], b[i], c) > level:
                right += width[i]
                count += 1
            new = here
            for _ in range(_MOST):
                new = left + (right - left) * uniform(state)
                if log_density(new, a[i], b[i], c) > level:
                    break
                if new < here:
                    left = new
                else:
                    right = new
                new = here
            v[i] = new
            x[i] = 1.0 / (1.0 + math.exp(-new))
        if sweep >= burn and (sweep - burn) % thin == thin - 1:
            at = (sweep - burn) // thin
            for i in range(d):
                out[at, i] = x[i]
            if levels > 0:
                # drawn after x: the pair is a draw of the model
                along = 0.0
                for i in range(d):
                    along += slope[i] * x[i]
                top = -np.inf
                for k in range(levels):
                    top = max(top, logs[k] + along * values[k])
                total = 0.0
                for k in range(levels):
                    total += math.exp(logs[k] + along * values[k] - top)
                    weights[k] = total
                u = uniform(state) * total
                k = 0
                while k < levels - 1 and weights[k] < u:
                    k += 1
                out[at, d] = values[k]
'''

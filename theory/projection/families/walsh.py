"""Families on the spins {-1, 1}^d whose statistics are products of spins, by Walsh-Hadamard transforms.

The product of two such statistics is another one, so that all moments of all products are the entries of one transform
of the probabilities: 2^d d operations instead of 2^d p^2.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from asymptopia.theory._core.validation import Array
from asymptopia.theory.projection.families.dual_newton import Moments, solve_mean
from asymptopia.theory.projection.families.hull import HullPosition, locate

_BITS = 5


def transform(values: Array) -> Array:
    r"""Return :math:`\sum_b (-1)^{|a \& b|} v_b` for all a, the Walsh-Hadamard transform of ``2**d`` values."""
    bits = values.size.bit_length() - 1
    result = values
    while bits > 0:
        step = min(_BITS, bits)
        # each product turns the leading bits and moves them last: after all of them the order is the first one
        result = (_hadamard(step) @ result.reshape(2**step, -1)).T.ravel()
        bits -= step
    return np.array(result)


def spins(states: NDArray[np.intp], d: int) -> NDArray[np.int64]:
    """Return the spins of states, (m, d): bit i of a state is 1 where spin i is -1."""
    result: NDArray[np.int64] = 1 - 2 * ((states[:, None] >> np.arange(d)) & 1)
    return result


@dataclass(frozen=True, slots=True, eq=False)
class SpinProducts:
    """Moments of p products of spins under ``exp(theta @ products) / Z``, without a table of 2^d rows."""

    d: int
    masks: NDArray[np.intp]
    """Bits of the spins in each product, (p,)."""
    name: str

    def scores(self, u: Array) -> Array:
        """Return ``u @ statistic`` of every state, (2^d,)."""
        table = np.zeros(2**self.d)
        table[self.masks] = u
        return transform(table)

    def rows(self, states: NDArray[np.intp]) -> Array:
        """Return the statistics of states, (m, p)."""
        both = states[:, None] & self.masks
        signs: Array = 1.0 - 2.0 * (np.bitwise_count(both) & 1).astype(np.float64)
        return signs

    def weights(self, theta: Array) -> tuple[Array, float]:
        """Return the probability of every state and the log-partition function."""
        logs = self.scores(theta)
        top = float(logs.max())
        chances = np.exp(logs - top)
        total = float(chances.sum())
        chances /= total
        return chances, top + float(np.log(total))

    def moments(self, theta: Array) -> Moments:
        """Return log-partition function, mean and covariance."""
        chances, log_partition = self.weights(theta)
        table = transform(chances)
        mean = table[self.masks]
        return Moments(log_partition, mean, table[self.masks[:, None] ^ self.masks] - np.outer(mean, mean))

    def third(self, theta: Array) -> Array:
        """Return the third cumulants, (p, p, p)."""
        table = transform(self.weights(theta)[0])
        mean = table[self.masks]
        pairs = self.masks[:, None] ^ self.masks
        cov = table[pairs] - np.outer(mean, mean)
        tensor: Array = table[pairs[:, :, None] ^ self.masks]
        # E[abc] = kappa + cov_ab m_c + cov_ac m_b + cov_bc m_a + m_a m_b m_c
        for i, m in enumerate(mean):
            crossed = np.outer(cov[i], mean)
            tensor[i] -= crossed + crossed.T + m * (cov + np.outer(mean, mean))
        return tensor

    def fourth(self, theta: Array, w: Array) -> Array:
        """Return the fourth cumulants contracted with a symmetric matrix, (p, p)."""
        chances, _ = self.weights(theta)
        table = transform(chances)
        mean = table[self.masks]
        pairs = self.masks[:, None] ^ self.masks
        g = table[pairs] - np.outer(mean, mean)
        # the quadratic form of the centred statistic is a combination of products of spins
        form = np.zeros(2**self.d)
        np.add.at(form, pairs.ravel(), w.ravel())
        np.add.at(form, self.masks, -2.0 * (w @ mean))
        form[0] += mean @ w @ mean
        tilted = transform(chances * transform(form))
        first = tilted[self.masks]
        crossed = np.outer(first, mean)
        moment = tilted[pairs] - crossed - crossed.T + tilted[0] * np.outer(mean, mean)
        result: Array = moment - np.vdot(w, g) * g - 2.0 * g @ w @ g
        return result

    def solve(self, target: Array) -> Array:
        """Return theta whose mean is `target`; errors as `solve_mean`."""
        spread = 4.0 * self.masks.size
        return solve_mean(
            target, self.moments, self.scores, lambda: self.position(target), self.name, spread, self._component_names
        )

    def _component_names(self) -> list[str]:
        """Return the products of spins, such as ``x0*x2``, for errors."""
        return ["*".join(f"x{i}" for i in range(self.d) if mask >> i & 1) for mask in self.masks.tolist()]

    def position(self, target: Array) -> HullPosition:
        """Return where a mean lies with respect to the hull of the products."""
        return locate(target, np.zeros(self.masks.size), self.rows, self.scores, 2**self.d)


def _hadamard(bits: int) -> Array:
    index = np.arange(2**bits)
    signs: Array = 1.0 - 2.0 * (np.bitwise_count(index[:, None] & index) & 1).astype(np.float64)
    return signs

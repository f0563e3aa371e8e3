"""What the projection checks predict besides the library's own values: enumerations, tables, changed coefficients."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaln, xlog1py, xlogy

from asymptopia.theory._core.roots import find_root
from asymptopia.theory.projection.invariants import Contractions
from asymptopia.verify.checks.projection_kernels_solve import CELLS, HEAD, MATRIX, ROW, TOTAL
from asymptopia.verify.engine.conditional import conditional_probabilities
from asymptopia.verify.engine.tables import guide_table

Array = NDArray[np.float64]
CUT = 1e-17


def second(found: Contractions, *, first: float = 8.0, fourth: float = 9.0, crossed: float = 1.0) -> float:
    """Return the second coefficient of the risk; with other factors of t1, t31 and t22, a changed one."""
    return (-first * found.t1 + 9.0 * (found.t21 + 2.0 * crossed * found.t22) - fourth * found.t31) / 24.0


def changed_second(found: Contractions) -> dict[str, float]:
    """Return the second coefficient with a constant changed or a term dropped."""
    return {
        "8 in place of 9 before t31": second(found, fourth=8.0),
        "3 in place of 9 before t31": second(found, fourth=3.0),
        "t22 dropped": second(found, crossed=0.0),
        "without t1": second(found, first=0.0),
    }


class Moments(NamedTuple):
    """Mean, standard deviation, then the third, fourth and sixth standardised moment of a law."""

    mean: float
    sd: float
    third: float
    fourth: float
    sixth: float

    @classmethod
    def of(cls, values: Array, probs: Array) -> Moments:
        """Return the moments of a law on finitely many values."""
        mean = float(probs @ values)
        sd = math.sqrt(float(probs @ (values - mean) ** 2))
        y = (values - mean) / sd
        return cls(mean, sd, *(float(probs @ y**k) for k in (3, 4, 6)))

    @classmethod
    def of_gamma(cls, shape: float) -> Moments:
        """Return the moments of the gamma law of scale 1."""
        sixth = 15.0 + 130.0 / shape + 120.0 / shape**2
        return cls(shape, math.sqrt(shape), 2 / math.sqrt(shape), 3 + 6 / shape, sixth)


def compositions(n: int) -> Array:
    """Return all counts of three cells that sum to n, a row each."""
    first, other = np.meshgrid(np.arange(n + 1), np.arange(n + 1), indexing="ij")
    kept = first + other <= n
    found = np.column_stack([first[kept], other[kept]]).astype(float)
    return np.column_stack([found, n - found.sum(axis=1)])


def multinomial_mass(counts: Array, probs: Array) -> Array:
    """Return the probabilities of rows of counts; `probs` is a row, or a row for each of several laws."""
    size = gammaln(counts[:1].sum() + 1) - gammaln(counts + 1).sum(axis=1)
    logs = xlogy(counts, probs[..., None, :]).sum(axis=-1)
    return np.asarray(np.exp(size + logs))


class Enumerated(NamedTuple):
    """Exact means for the normal model: the risk, t0 with the unbiased covariance, and the estimated risk."""

    risk: float
    t0: float
    corrected: float


@cache
def normal_from_three(values: tuple[float, ...], probs: tuple[float, ...], n: int) -> Enumerated:
    """Return exact means over all samples of a three-point law, given that its values are not all the same."""
    counts = compositions(n)
    x = np.array(values)
    moments = Moments.of(x, np.array(probs))
    kept = (counts < n).all(axis=1)
    counts = counts[kept]
    weight = multinomial_mass(counts, np.array(probs))
    weight /= weight.sum()
    share = counts / n
    mean = share @ x
    s, m3, m4, m6 = ((share * (x - mean[:, None]) ** k).sum(axis=1) for k in (2, 3, 4, 6))
    r = s / moments.sd**2
    risk = 0.5 * (np.log(r) + 1 / r - 1 + (mean - moments.mean) ** 2 / s)
    skewness, excess, sixth = m3**2 / s**3, m4 / s**2 - 3, m6 / s**3
    t0 = 0.5 * (excess + 4) * n / (n - 1)
    # the coefficients of the risk and of the optimism in closed form, solved for A3 and A4
    c2 = 121 / 12 - sixth / 3 + 3 * skewness + 9 / 8 * excess**2 + 6 * excess
    o2 = 27 / 2 - sixth / 2 + 4 * skewness + 3 / 2 * excess**2 + 8 * excess
    a3 = 18 * o2 - 24 * c2
    corrected = 0.5 * n * t0 - a3 / 6 + (2 * o2 - a3) / 8
    return Enumerated(*(float(weight @ item) for item in (risk, t0, corrected)))


def exponential_from_gamma(shape: float, n: int) -> tuple[float, float]:
    """Return the exact means of t0 and of n**2 times the estimated risk: ratios do not depend on the mean."""
    a = shape
    powers = [math.prod(n * a + i for i in range(k)) / n**k for k in range(5)]
    t0 = a / powers[2]
    third = 2 * a / powers[3]
    square = (a * a * (n + 1) / (n - 1) + 6 * a / n) / powers[4]
    return t0, n * t0 / 2 + 2 * third / 6 + 6 * square / 8


@cache
def bootstrap_coverage(probs: tuple[float, ...], n: int, resamples: int, quantile: float) -> float:
    """Return the coverage of c2 of the Poisson model by the bootstrap's standard error, for counts 0, 1 and 2.

    All samples are enumerated, and all resamples of each for the mean and variance of the bootstrap's law; the variance
    of finitely many resamples is taken as a chi-square over its degrees of freedom, with the kurtosis of that law.
    """
    from scipy.stats import chi2

    counts = compositions(n)
    mean = (counts[:, 1] + 2 * counts[:, 2]) / n
    # the sample of zeros alone has no estimate
    counts, mean = counts[mean > 0], mean[mean > 0]
    a2, a3 = (counts[:, 1] + 4 * counts[:, 2]) / n, (counts[:, 1] + 8 * counts[:, 2]) / n
    variance = (a2 - mean**2) * n / (n - 1)
    third = (a3 - 3 * mean * a2 + 2 * mean**3) * n**2 / ((n - 1) * (n - 2))
    c2 = (0.75 * (variance / mean) ** 2 - third / (3 * mean)) / mean
    chances = np.array(probs)
    weight = multinomial_mass(counts, chances)
    values = np.arange(3.0)
    level = float(chances @ values)
    v, m3 = (float(chances @ (values - level) ** k) for k in (2, 3))
    miss = np.abs(c2 - (-m3 / (3 * level**2) + 3 * v**2 / (4 * level**3)))
    likely = np.flatnonzero(weight > 1e-9)
    covered = 0.0
    for part in np.array_split(likely, max(1, likely.size // 64)):
        again = multinomial_mass(counts, counts[part] / n)
        again /= again.sum(axis=1, keepdims=True)
        first = again @ c2
        away = c2 - first[:, None]
        square = (again * away**2).sum(axis=1)
        kurtosis = (again * away**4).sum(axis=1) / square**2
        dof = 2 * resamples / (kurtosis - 1 + 2 / (resamples - 1))
        covered += float(weight[part] @ chi2.sf(dof * miss[part] ** 2 / (quantile**2 * square), dof))
    return covered


def binary(p: float, q: float) -> float:
    """Return the divergence of two laws on two points."""
    return float(xlogy(p, p / q) + xlog1py(1 - p, (q - p) / (1 - q)))


def best_share(prior: float, error: float) -> float:
    """Return the share of the Bayes error at the first of two points where the divergence is least."""

    def slope(share: Array) -> Array:
        # derivatives of the two laws' first points in the share, over the error
        p, q = (prior - error + error * share) / prior, error * share / (1 - prior)
        left = np.log(p * (1 - q) / (q * (1 - p))) / prior
        return np.asarray(left + (q - p) / (q * (1 - q)) / (1 - prior))

    return float(find_root(slope, np.array([1e-12]), np.array([1 - 1e-12]))[0])


def table_of(probs: Sequence[float], first: int = 0) -> tuple[float, ...]:
    """Return the table of a law of counts, without its far tail."""
    masses = np.asarray(probs, dtype=float)
    last = int(np.flatnonzero(masses > CUT)[-1]) + 1
    return guide_table((masses[:last] / masses[:last].sum()).tolist(), first)


def cells_params(
    family: int,
    n: int,
    sizes: int,
    probs: Array,
    *,
    weights: Array | None = None,
    slopes: Array | None = None,
    signs: Array | None = None,
    response: Array | None = None,
    cubic: float = 0.0,
    mean: float = 1.0,
    tables: Sequence[tuple[float, ...]] = (),
) -> tuple[float, ...]:
    """Return the parameters of the kernel of tables of counts; without weights these are the probabilities."""
    cells = probs.size
    rows = np.zeros((CELLS, ROW))
    if family != TOTAL:
        rows[:cells, 0] = list(conditional_probabilities(probs))
    rows[:cells, 1] = probs if weights is None else weights
    rows[:cells, 2] = 0.0 if slopes is None else slopes
    rows[:cells, 3] = 1.0 if signs is None else signs
    matrix = np.zeros((CELLS, CELLS)) if response is None else response
    start = MATRIX + CELLS * CELLS
    starts = [start, start + (len(tables[0]) if tables else 0)]
    head = (family, n, sizes, cells, cubic, *starts, mean)
    assert len(head) == HEAD
    flat = (*head, *rows.ravel(), *matrix.ravel(), *(value for table in tables for value in table))
    return tuple(float(value) for value in flat)


class Spins(NamedTuple):
    """Three spins: probabilities of the eight states under the truth and its projection, signs, and the response.

    The response of the logarithms of the projection's probabilities to observed frequencies is X G^-1 X', X the
    centred statistics of the states.
    """

    truth: Array
    projection: Array
    signs: Array
    response: Array

    @classmethod
    def of(cls, statistic: Array, states: Array, truth: Array) -> Spins:
        """Return what the kernel needs for the Ising model of all pairs, of the given statistics of the states."""
        signs = np.asarray(states, dtype=float).prod(axis=1)

        def excess(t: Array) -> Array:
            return np.array([(signs * np.log(truth + signs * float(one))).sum() for one in np.atleast_1d(t)])

        inner = 1 - 1e-9
        low, high = -truth[signs > 0].min() * inner, truth[signs < 0].min() * inner
        q = truth + signs * float(find_root(excess, np.array([low]), np.array([high]))[0])
        centred = statistic - q @ statistic
        gram = (centred * q[:, None]).T @ centred
        return cls(truth, q, signs, centred @ np.linalg.solve(gram, centred.T))

    def cubic(self) -> float:
        """Return n**2 times the mean of the cubic term of the divergence: minus a third of the sum of q v**3."""
        # column k is the response to an observation in state k, less the mean
        scores = self.response - (self.response @ self.truth)[:, None]
        return -float(self.projection @ scores**3 @ self.truth) / 3

    def no_estimate(self, n: int) -> float:
        """Return the probability that there is no MLE: cells of either sign are empty."""
        up, down = (_all_filled(self.truth, self.signs == sign, n) for sign in (1, -1))
        return 1 - up - down + _all_filled(self.truth, self.signs != 0, n)

    def empty(self, n: int) -> float:
        """Return the probability that any cell is empty."""
        return 1 - _all_filled(self.truth, self.signs != 0, n)


def _all_filled(probs: Array, chosen: NDArray[np.bool_], n: int) -> float:
    """Return the probability that all chosen cells have a count, by inclusion and exclusion."""
    total = 0.0
    cells = probs[chosen]
    for mask in range(2**cells.size):
        taken = np.array([mask >> i & 1 for i in range(cells.size)], dtype=bool)
        total += (-1) ** int(taken.sum()) * (1 - float(cells[taken].sum())) ** n
    return total

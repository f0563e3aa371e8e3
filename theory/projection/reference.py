"""Reference coefficients of the risk of maximum likelihood, from truncated power series in multiple precision.

The log-partition is expanded in the natural parameter, the mean map is inverted as a power series in the deviation of
the sample mean, the divergence is composed with it, and each monomial is averaged by summing over the partitions of its
factors into cumulants. No contraction of tensors and no dual potential enters. The families are in
`reference_families`, tensors by naive loops in `reference_tensors`, finite samples in `reference_exact`, bounds of the
Bayes error in `reference_bayes`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from functools import wraps
from typing import Any

import mpmath as mp

DPS = 50
Numbers = Sequence[Any]
Exponents = tuple[int, ...]
Terms = dict[Exponents, Any]


def precise(function: Callable[..., Any]) -> Callable[..., Any]:
    """Decorate `function` to take ``dps=50``, to compute with three times the digits and to round to `dps`."""

    @wraps(function)
    def wrapped(*args: Any, dps: int = DPS, **options: Any) -> Any:
        with mp.workdps(3 * dps):
            value = function(*args, **options)
        with mp.workdps(dps):
            return rounded(value)

    return wrapped


def rounded(value: Any) -> Any:
    """Return the value, or the values of a dictionary, list or tuple, at the current precision."""
    if isinstance(value, dict):
        return {key: rounded(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(rounded(item) for item in value)
    return +value if isinstance(value, mp.mpf) else value


class Series:
    """Power series in several variables: coefficients by exponents, without the terms above a total degree."""

    __slots__ = ("degree", "size", "terms")

    def __init__(self, terms: Terms, degree: int, size: int) -> None:
        self.size = size
        self.terms = {key: value for key, value in terms.items() if value != 0 and sum(key) <= degree}
        self.degree = degree

    @property
    def constant(self) -> Any:
        """Return the coefficient of degree 0."""
        return next((value for key, value in self.terms.items() if not any(key)), mp.mpf(0))

    def __add__(self, other: Any) -> Series:
        """Return the sum with a series or a number."""
        terms = dict(self.terms)
        more = other.terms if isinstance(other, Series) else {(0,) * self.size: other}
        for key, value in more.items():
            terms[key] = terms.get(key, mp.mpf(0)) + value
        return Series(terms, self.degree, self.size)

    def __mul__(self, other: Any) -> Series:
        """Return the product with a series or a number."""
        if not isinstance(other, Series):
            return Series({key: value * other for key, value in self.terms.items()}, self.degree, self.size)
        terms: Terms = {}
        room = [(sum(key), key, value) for key, value in sorted(other.terms.items(), key=lambda item: sum(item[0]))]
        for key, value in self.terms.items():
            left = self.degree - sum(key)
            for used, more, factor in room:
                if used > left:
                    break
                place = tuple(a + b for a, b in zip(key, more, strict=True))
                terms[place] = terms.get(place, 0) + value * factor
        return Series(terms, self.degree, self.size)

    def __neg__(self) -> Series:
        """Return the series of opposite sign."""
        return self * -1

    def __sub__(self, other: Any) -> Series:
        """Return the difference from a series or a number."""
        result: Series = self + other * -1
        return result

    def slope(self, i: int) -> Series:
        """Return the derivative by variable `i`."""
        terms = {}
        for key, value in self.terms.items():
            if key[i]:
                terms[(*key[:i], key[i] - 1, *key[i + 1 :])] = value * key[i]
        return Series(terms, self.degree, self.size)


def variables(point: Numbers, degree: int) -> list[Series]:
    """Return the coordinates about `point` as series."""
    p = len(point)
    units = [tuple(int(i == j) for j in range(p)) for i in range(p)]
    return [Series({(0,) * p: mp.mpf(x), unit: mp.mpf(1)}, degree, p) for x, unit in zip(point, units, strict=True)]


def lift(f: Callable[[Any], Any], inner: Series) -> Series:
    """Return f of a series, by the derivatives of `f` from differences at its constant."""
    at = inner.constant
    rest = inner - at
    total: Series = rest * 0
    for coefficient in reversed(mp.taylor(f, at, inner.degree)):
        total = total * rest + coefficient
    return total


def substituted(outer: Sequence[Series], inner: Sequence[Series], degree: int) -> list[Series]:
    """Return each of the `outer` series at the `inner` ones, which have no constant."""
    p = len(inner)
    inner = [Series(s.terms, degree, p) for s in inner]
    powers: dict[Exponents, Series] = {(0,) * p: Series({(0,) * p: mp.mpf(1)}, degree, p)}
    totals = [Series({}, degree, p) for _ in outer]
    for key in sorted({key for s in outer for key in s.terms if sum(key) <= degree}, key=sum):
        value = power(key, inner, powers)
        totals = [
            total + value * s.terms[key] if key in s.terms else total for total, s in zip(totals, outer, strict=True)
        ]
    return totals


def power(key: Exponents, inner: Sequence[Series], powers: dict[Exponents, Series]) -> Series:
    """Return the product of powers of the `inner` series, one factor more than an earlier one."""
    if key not in powers:
        i = next(j for j, e in enumerate(key) if e)
        powers[key] = power((*key[:i], key[i] - 1, *key[i + 1 :]), inner, powers) * inner[i]
    return powers[key]


def inverted(mean: Sequence[Series], degree: int) -> list[Series]:
    """Return the inverse of a map without constant, by substitution one degree a round."""
    p = len(mean)
    units = variables([0] * p, degree)
    linear = mp.matrix(p, p)
    for i, s in enumerate(mean):
        for j in range(p):
            linear[i, j] = s.terms.get(tuple(int(k == j) for k in range(p)), mp.mpf(0))
    back = linear**-1
    curved = [Series({key: value for key, value in s.terms.items() if sum(key) > 1}, degree, p) for s in mean]
    found = [combined(back, i, units) for i in range(p)]
    for reached in range(2, degree + 1):
        beyond = substituted(curved, found, reached)
        found = [combined(back, i, [u - b for u, b in zip(units, beyond, strict=True)]) for i in range(p)]
    return found


def combined(matrix: Any, i: int, items: Sequence[Series]) -> Series:
    """Return row i of the matrix times the series."""
    total: Series = items[0] * matrix[i, 0]
    for j, item in enumerate(items[1:], start=1):
        total = total + item * matrix[i, j]
    return total


def partitions(items: Sequence[int]) -> Iterator[list[list[int]]]:
    """Yield the partitions of `items` into blocks of two or more."""
    if not items:
        yield []
        return
    first, rest = items[0], items[1:]
    for chosen in range(1, 2 ** len(rest)):
        block = [first, *(item for k, item in enumerate(rest) if chosen >> k & 1)]
        for others in partitions([item for k, item in enumerate(rest) if not chosen >> k & 1]):
            yield [block, *others]


def averaged(f: Series, cumulants: Series, order: int) -> list[Any]:
    """Return the coefficients of n^-1, n^-2, ... of the mean of `f` at the mean of n draws.

    Parameters
    ----------
    f
        Function of the deviation of the sample mean.
    cumulants
        Cumulant generating function of one draw; terms of degree 0 and 1 do not count.
    """
    sums = [mp.mpf(0)] * (order + 1)
    for key, value in f.terms.items():
        factors = [i for i, e in enumerate(key) for _ in range(e)]
        for blocks in partitions(list(range(len(factors)))):
            place = len(factors) - len(blocks)
            if not 1 <= place <= order:
                continue
            product = value
            for block in blocks:
                index = [0] * len(key)
                for position in block:
                    index[factors[position]] += 1
                product *= cumulants.terms.get(tuple(index), mp.mpf(0)) * math.prod(map(math.factorial, index))
            sums[place] += product
    return sums[1:]


LogPartition = Callable[[list[Series]], Series]
Expansions = tuple[Series, Series, Series, list[Series]]


def divergences(log_partition: LogPartition, theta: Numbers, degree: int) -> Expansions:
    """Return the forward divergence, its symmetric sum, the divergence by the parameter, and the parameter's series.

    The first two and the last by the deviation of the sample mean from the mean at `theta`.
    """
    expanded = log_partition(variables(theta, degree))
    p = len(theta)
    gap = Series({key: value for key, value in expanded.terms.items() if sum(key) > 1}, degree, p)
    step = inverted([gap.slope(i) for i in range(p)], degree - 1)
    forward = substituted([gap], step, degree)[0]
    both = Series({}, degree, p)
    for unit, s in zip(variables([0] * p, degree), step, strict=True):
        both = both + unit * Series(s.terms, degree, p)
    return forward, both, gap, step


def coefficients(
    log_partition: LogPartition, theta: Numbers, truth: Series | None = None, order: int = 2
) -> dict[str, Any]:
    """Return the coefficients c of the risk, o of the optimism and r of the reverse risk by powers of 1/n.

    Parameters
    ----------
    log_partition
        Of series of the natural parameters.
    theta
        Natural parameter of the projection.
    truth
        Cumulant generating function of the statistic under the truth; the model's if None.
    order
        Largest power of 1/n.
    """
    forward, both, gap, _ = divergences(log_partition, theta, 2 * order)
    law = gap if truth is None else truth
    c, o = averaged(forward, law, order), averaged(both, law, order)
    named = {f"c{k}": value for k, value in enumerate(c, start=1)}
    named |= {f"o{k}": value for k, value in enumerate(o, start=1)}
    return named | {f"r{k}": a - b for k, (a, b) in enumerate(zip(o, c, strict=True), start=1)}


def plug_in_bias(log_partition: LogPartition, theta: Numbers, truth: Series) -> Any:
    """Return n times the bias of tr(G(theta_hat)^-1 Sigma_hat), Sigma_hat the unbiased covariance.

    G^-1 is the slope of the parameter by the mean, expanded to the second order in the deviation of the mean. The
    unbiased covariance has the covariance kappa/n with the mean.
    """
    *_, step = divergences(log_partition, theta, 4)
    p = len(theta)
    total = mp.mpf(0)
    for i in range(p):
        for j in range(p):
            inverse = step[i].slope(j)
            total += cumulant(truth, i, j) * averaged(inverse, truth, 1)[0]
            for k in range(p):
                unit = tuple(int(m == k) for m in range(p))
                total += inverse.terms.get(unit, mp.mpf(0)) * cumulant(truth, i, j, k)
    return total


def cumulant(truth: Series, *indices: int) -> Any:
    """Return the joint cumulant of the coordinates listed."""
    key = tuple(indices.count(i) for i in range(truth.size))
    return truth.terms.get(key, mp.mpf(0)) * math.prod(map(math.factorial, key))

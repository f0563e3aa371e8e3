"""Planning a monitoring: critical values, power, sample size and the false alarms of a fixed threshold."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from asymptopia.theory._core.roots import find_root
from asymptopia.theory._core.validation import numeric
from asymptopia.theory.scorecard.laws import LogTails, noncentral_chi2_tails, noncentrality_at

Array = NDArray[np.float64]


class SampleSize(NamedTuple):
    """What a test of no shift needs.

    Attributes
    ----------
    n_eff : float or ndarray
        Effective size ``n m / (n + m)``: each sample has twice as many if both are equal, n alone for a known baseline.
    critical : float or ndarray
        The index that rejects at that size, in nats.
    noncentrality : float or ndarray
        ``n_eff psi``.
    """

    n_eff: Any
    critical: Any
    noncentrality: Any


def psi_critical_value(n: ArrayLike, m: ArrayLike, bins: ArrayLike, alpha: ArrayLike) -> Any:
    r"""Return the index that the plug-in exceeds with probability `alpha` where nothing has shifted.

    Parameters
    ----------
    n, m : array_like
        Sizes of both samples, > 0; ``m = inf`` for a known baseline. All arguments broadcast.
    bins : array_like
        Number of bins, at least 2.
    alpha : array_like
        Level of the test, in (0, 1).

    Returns
    -------
    float or ndarray
        :math:`\chi^2_{B-1;1-\alpha} / n_e` in nats.

    Raises
    ------
    TypeError, ValueError
        If an argument is not numeric or out of its range.

    References
    ----------
    .. [1] B. Yurdakul, J. Naranjo, "Statistical properties of the population stability index", Journal of Risk Model
       Validation 14(4), 2020.

    Examples
    --------
    The customary 0.1 is the 5 % level for 10 bins at an effective size of 169:

    >>> round(psi_critical_value(338, 338, 10, 0.05), 4)
    0.1001
    """
    size, dof = _effective(n, m), _dof(bins)
    return _plain(_chi2_isf(dof, _probability("alpha", alpha)) / size)


def psi_power(n: ArrayLike, m: ArrayLike, bins: ArrayLike, psi: ArrayLike, alpha: ArrayLike) -> Any:
    r"""Return the probability that the test of no shift at level `alpha` detects the index `psi`.

    Parameters
    ----------
    n, m, bins, alpha : array_like
        As in `psi_critical_value`.
    psi : array_like
        True index >= 0, in nats.

    Returns
    -------
    float or ndarray
        :math:`P(\chi'^2_{B-1}(n_e \psi) > \chi^2_{B-1;1-\alpha})`.

    Raises
    ------
    TypeError, ValueError
        If an argument is not numeric or out of its range.

    Notes
    -----
    The law of local alternatives: for `psi` up to about 0.3 and expected counts of 5 and more.

    Examples
    --------
    >>> round(psi_power(626, 626, 10, 0.05, 0.05), 3)
    0.8
    """
    size, dof = _effective(n, m), _dof(bins)
    critical = _chi2_isf(dof, _probability("alpha", alpha))
    shift = _real("psi", psi, 0.0)
    return _plain(np.exp(noncentral_chi2_tails(critical, dof, size * shift).sf))


def psi_sample_size(*, bins: ArrayLike, alpha: ArrayLike, power: ArrayLike, psi: ArrayLike) -> SampleSize:
    """Return the effective size at which the test of no shift at level `alpha` detects `psi` with probability `power`.

    Parameters
    ----------
    bins, alpha : array_like
        As in `psi_critical_value`.
    power : array_like
        In (`alpha`, 1).
    psi : array_like
        Index to detect, > 0, in nats.

    Returns
    -------
    SampleSize
        Floats, or arrays of the broadcast shape. Sizes are not rounded.

    Raises
    ------
    TypeError, ValueError
        If an argument is not numeric or out of its range.

    Examples
    --------
    >>> plan = psi_sample_size(bins=10, alpha=0.05, power=0.8, psi=0.1)
    >>> round(plan.n_eff, 3), round(plan.noncentrality, 3), round(plan.critical, 4)
    (156.498, 15.65, 0.1081)
    """
    dof, level, wanted = _dof(bins), _probability("alpha", alpha), _probability("power", power)
    shift = _real("psi", psi, 0.0, strict=True)
    if (wanted <= level).any():
        message = f"power is {_first(wanted, wanted <= level)!r}; expected more than alpha, which needs no data"
        raise ValueError(message)
    critical = _chi2_isf(dof, level)
    needed = noncentrality_at(critical, dof, np.log1p(-wanted), np.log(wanted))
    size = needed / shift
    # all three have the broadcast shape
    return SampleSize(*(_plain(item) for item in np.broadcast_arrays(size, critical / size, needed)))


def threshold_false_alarm(threshold: ArrayLike, n: ArrayLike, m: ArrayLike, bins: ArrayLike) -> Any:
    r"""Return the probability that the plug-in exceeds `threshold` where nothing has shifted.

    Parameters
    ----------
    threshold : array_like
        Such as 0.1 or 0.25, in nats, >= 0.
    n, m, bins : array_like
        As in `psi_critical_value`.

    Returns
    -------
    float or ndarray
        :math:`P(\chi^2_{B-1} > n_e\, \mathrm{threshold})`.

    Raises
    ------
    TypeError, ValueError
        If an argument is not numeric or out of its range.

    Examples
    --------
    >>> round(threshold_false_alarm(0.1, 200, 200, 10), 4)
    0.3505
    """
    from scipy.special import gammaincc

    size, dof = _effective(n, m), _dof(bins)
    return _plain(gammaincc(dof / 2, size * _real("threshold", threshold, 0.0) / 2))


def psi_equivalence_power(
    n: ArrayLike, m: ArrayLike, bins: ArrayLike, psi: ArrayLike, margin: ArrayLike, alpha: ArrayLike
) -> Any:
    r"""Return the probability that the test of stability at level `alpha` shows an index below `margin`.

    Parameters
    ----------
    n, m, bins, alpha : array_like
        As in `psi_critical_value`.
    psi : array_like
        True index, >= 0 and below `margin`, in nats.
    margin : array_like
        Index that would be material, > 0, in nats.

    Returns
    -------
    float or ndarray
        :math:`F_{B-1}(c;\, n_e \psi)` with :math:`F_{B-1}(c;\, n_e \,\mathrm{margin}) = \alpha`, F the noncentral
        chi-square law: the test rejects ``index >= margin`` where :math:`n_e J < c`.

    Raises
    ------
    TypeError, ValueError
        If an argument is not numeric or out of its range.

    Notes
    -----
    The law of local alternatives: for a `margin` up to about 0.3 and expected counts of 5 and more.

    References
    ----------
    .. [1] S. Wellek, "Testing Statistical Hypotheses of Equivalence and Noninferiority", 2nd ed., Chapman & Hall,
       2010, chapter 9.

    Examples
    --------
    >>> round(psi_equivalence_power(500, 500, 10, 0.01, 0.1, 0.05), 3)
    0.882
    """
    size, dof, level = _effective(n, m), _dof(bins), _probability("alpha", alpha)
    shift, border = _below_margin(psi, margin)
    return _plain(np.exp(_log_power_of_stability(size, dof, shift, border, level).cdf))


def psi_equivalence_sample_size(
    *, bins: ArrayLike, alpha: ArrayLike, power: ArrayLike, psi: ArrayLike, margin: ArrayLike
) -> SampleSize:
    """Return the effective size at which the test of stability at level `alpha` has the probability `power`.

    Parameters
    ----------
    bins, alpha : array_like
        As in `psi_critical_value`.
    power : array_like
        In (`alpha`, 1).
    psi, margin : array_like
        As in `psi_equivalence_power`.

    Returns
    -------
    SampleSize
        `critical` is the index below which the test shows stability; `noncentrality` is ``n_eff psi``.

    Raises
    ------
    TypeError, ValueError
        If an argument is not numeric or out of its range.

    Examples
    --------
    >>> plan = psi_equivalence_sample_size(bins=10, alpha=0.05, power=0.9, psi=0.0, margin=0.1)
    >>> round(plan.n_eff, 1), round(plan.critical, 4)
    (203.1, 0.0723)
    """
    dof, level, wanted = _dof(bins), _probability("alpha", alpha), _probability("power", power)
    shift, border = _below_margin(psi, margin)
    if (wanted <= level).any():
        message = f"power is {_first(wanted, wanted <= level)!r}; expected more than alpha, which needs no data"
        raise ValueError(message)
    args = tuple(np.broadcast_arrays(dof, level, wanted, shift, border))
    goal = _normal_quantile(np.log(args[2]), np.log1p(-args[2]))

    def gap(root: Array, dof: Array, level: Array, shift: Array, border: Array, goal: Array) -> Array:
        return _normal_quantile(*_log_power_of_stability(root * root, dof, shift, border, level)) - goal

    # the square root of a noncentral chi-square has a variance near 1
    start = (goal - _normal_quantile(np.log(args[1]), np.log1p(-args[1]))) / (np.sqrt(args[4]) - np.sqrt(args[3]))
    root = _grown_root(gap, start, (args[0], args[1], args[3], args[4], goal))
    size = root * root
    critical = _stability_quantile(args[0], size * args[4], args[1]) / size
    return SampleSize(_plain(size), _plain(critical), _plain(size * args[3]))


def _below_margin(psi: ArrayLike, margin: ArrayLike) -> tuple[Array, Array]:
    shift, border = np.broadcast_arrays(_real("psi", psi, 0.0), _real("margin", margin, 0.0, strict=True))
    bad = shift >= border
    if bad.any():
        message = (
            f"psi is {_first(shift, bad)!r} and margin is {_first(border, bad)!r}; expected psi < margin: stability "
            "cannot be shown for an index that is material"
        )
        raise ValueError(message)
    return shift, border


def _log_power_of_stability(size: Array, dof: Array, shift: Array, border: Array, level: Array) -> LogTails:
    critical = _stability_quantile(dof, size * border, level)
    return noncentral_chi2_tails(critical, dof, size * shift)


def _stability_quantile(dof: Array, noncentrality: Array, level: Array) -> Array:
    """Return the quantile of order `level` of the noncentral chi-square law."""
    dof, noncentrality, level = np.broadcast_arrays(dof, noncentrality, level)
    goal = _normal_quantile(np.log(level), np.log1p(-level))

    def gap(root: Array, dof: Array, noncentrality: Array, goal: Array) -> Array:
        return _normal_quantile(*noncentral_chi2_tails(root * root, dof, noncentrality)) - goal

    root = _grown_root(gap, np.sqrt(dof + noncentrality) + goal, (dof, noncentrality, goal))
    return np.asarray(root * root)


def _grown_root(gap: Callable[..., Array], start: Array, args: tuple[Array, ...]) -> Array:
    """Return the root of a rising function of a positive number, in a bracket grown from `start`."""
    low = high = np.maximum(start, 0.125)
    while (above := gap(low, *args) > 0).any():
        low = np.where(above, low / 2, low)
    while (below := gap(high, *args) < 0).any():
        high = np.where(below, high * 1.5, high)
    return find_root(gap, low, high, args=args)


def _normal_quantile(log_cdf: Array, log_sf: Array) -> Array:
    """Return the normal quantile of a probability given by the logarithms of it and of its complement."""
    from scipy.special import ndtri_exp

    lower = log_cdf < log_sf
    quantile = ndtri_exp(np.where(lower, log_cdf, log_sf))
    return np.asarray(np.where(lower, quantile, -quantile))


def _chi2_isf(dof: Array, alpha: Array) -> Array:
    from scipy.special import gammainccinv

    return np.asarray(2 * gammainccinv(dof / 2, alpha))


def _effective(n: ArrayLike, m: ArrayLike) -> Array:
    first, second = _real("n", n, 0.0, strict=True), _size("m", m)
    return first / (1 + first / second)


def _size(name: str, value: ArrayLike) -> Array:
    array = np.asarray(value)
    if array.dtype.kind == "f" and np.isposinf(array).any():
        return np.where(
            np.isposinf(array), np.inf, _real(name, np.where(np.isposinf(array), 1.0, array), 0.0, strict=True)
        )
    return _real(name, value, 0.0, strict=True)


def _dof(bins: ArrayLike) -> Array:
    array = numeric("bins", bins)
    bad = (array < 2) | (array != np.floor(array))
    return _checked("bins", array, bad, "a whole number, at least 2") - 1


def _probability(name: str, value: ArrayLike) -> Array:
    array = numeric(name, value)
    return _checked(name, array, (array <= 0) | (array >= 1), "a number in (0, 1)")


def _real(name: str, value: ArrayLike, low: float, *, strict: bool = False) -> Array:
    array = numeric(name, value)
    bad = array <= low if strict else array < low
    return _checked(name, array, bad, f"a number {'>' if strict else '>='} {low:g}")


def _checked(name: str, array: Array, bad: NDArray[np.bool_], expected: str) -> Array:
    if bad.any():
        message = f"{name} is {_first(array, bad)!r}; expected {expected}"
        raise ValueError(message)
    return array


def _first(array: Array, mask: NDArray[np.bool_]) -> float:
    return float(np.broadcast_to(array, mask.shape)[mask].flat[0])


def _plain(value: Any) -> Any:
    array = np.asarray(value)
    return float(array) if array.ndim == 0 else array

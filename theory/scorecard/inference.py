"""Information value, population stability index and the divergence that both are."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from asymptopia.theory._core.validation import choice, counts, fail, numeric, same_shape
from asymptopia.theory.scorecard.covariance import FixedBins
from asymptopia.theory.scorecard.describe import describe
from asymptopia.theory.scorecard.paired import PairedSamples
from asymptopia.theory.scorecard.results import IVResult, PSIResult
from asymptopia.theory.scorecard.sampling import FixedBaseline, IndependentSamples, Sampling, total
from asymptopia.theory.scorecard.shares import (
    HALF,
    check_smoothing,
    known_shares,
    pair_table,
    two_samples,
    whole_counts,
)
from asymptopia.theory.scorecard.survey import SurveyTable, survey_parts

BASELINES = ("random", "fixed", "paired", "quantile")
IV_DESIGNS = ("two-sample", "joint", "fixed-bins")
PSI_DESIGNS = ("two-sample", "joint", "paired")


def jeffreys(x: ArrayLike, y: ArrayLike, *, smoothing: float = 0, axis: int = -1) -> Any:
    r"""Return the Jeffreys divergence :math:`J = \sum (p - q) \log(p/q)` of two vectors of counts or weights, in nats.

    Parameters
    ----------
    x, y : array_like
        Numbers >= 0, bins along `axis`; the other axes broadcast. Shares p and q are taken of their sums.
    smoothing : float
        Added to both entries of each bin that is not empty in both.
    axis : int
        The axis of the bins.

    Returns
    -------
    float or ndarray
        One value a pair of vectors; inf if a bin is empty in exactly one. A bin that is empty in both counts nothing.

    Raises
    ------
    TypeError, ValueError
        If an entry is not a finite number >= 0, a vector is all zero, or the shapes do not broadcast.

    Notes
    -----
    The differences p - q are formed without cancellation, so that the divergence of close samples keeps its digits.

    References
    ----------
    .. [1] H. Jeffreys, "An invariant form for the prior probability in estimation problems", Proc. R. Soc. A 186,
       1946, eq. (1).

    Examples
    --------
    >>> round(jeffreys([139, 49, 164, 348], [135, 14, 105, 46]), 14)
    0.66601150335133
    >>> jeffreys([10**12, 10**12 + 10**6, 10**12 - 10**6], [10**12] * 3)
    6.666666666668888e-13
    """
    x, y = (np.moveaxis(numeric(name, side, min_ndim=1), axis, -1) for name, side in (("x", x), ("y", y)))
    x, y = counts("x", x), counts("y", y)
    if x.shape[-1] != y.shape[-1]:
        message = f"x has {x.shape[-1]} bins and y has {y.shape[-1]}; expected the same bins in both"
        raise ValueError(message)
    try:
        x, y = np.broadcast_arrays(x, y)
    except ValueError:
        message = f"x has shape {x.shape} and y has shape {y.shape} (bins last); their leading axes do not broadcast"
        raise ValueError(message) from None
    result = total(two_samples(x, y, check_smoothing(smoothing), used=(x + y) > 0))
    return float(result) if result.ndim == 0 else result


def information_value(
    good: ArrayLike | SurveyTable,
    bad: ArrayLike | None = None,
    *,
    design: str = "two-sample",
    smoothing: float = 0,
) -> IVResult:
    r"""Return the information value of a binned feature with its inference.

    Parameters
    ----------
    good, bad : array_like
        Whole counts of goods and of bads, one a bin, shape ``(bins,)``; or a table of `survey_table` as `good` and no
        `bad`, for rows with weights or in clusters.
    design : {"two-sample", "joint", "fixed-bins"}
        How the counts were drawn.

        * ``"two-sample"``: goods and bads are two samples of given sizes.
        * ``"joint"``: one sample, split by outcome. To first order the same as "two-sample": given the sizes it is
          that, and their variation moves the estimate by a higher order only.
        * ``"fixed-bins"``: the sizes of the bins are given, the outcome in each is random. The standard error is at
          most that of the others, and the law under ``J = 0`` is theirs.
    smoothing : float
        Pseudo-count a bin of the estimator that `bias`, `se` and `statistic` describe; 0 is the plug-in.

    Returns
    -------
    IVResult

    Raises
    ------
    TypeError, ValueError
        If the counts are not whole numbers from 0 to 2**53, a sample is empty, or the shapes differ.

    Notes
    -----
    *Assumptions*: independent accounts; bins fixed beforehand. Bins chosen on the same outcomes invalidate the test
    and the interval.

    The variance is :math:`V_P/n + V_Q/m` [1]_ with :math:`V_P = \mathrm{Var}_P(\log(p/q) - q/p)`; under ``J = 0`` the
    statistic ``n_eff J`` has a chi-square law [2]_. For fixed bins of :math:`N_i` rows it is
    :math:`\sum_i N_i e_i (1 - e_i) D_i^2` with the event rates :math:`e_i` and the derivative
    :math:`D_i` of J by the bads of bin i, and the bias holds a term for the random sizes, see `FixedBins`. For a survey
    it is that of the linearised sums, and ``n_eff J`` has a mixture of chi-squares under ``J = 0`` [3]_.

    References
    ----------
    .. [1] A. Sudjianto, D. Burakov, "An information-theoretic framework for credit risk modeling", arXiv:2509.09855,
       2025.
    .. [2] B. Yurdakul, J. Naranjo, "Statistical properties of the population stability index", Journal of Risk Model
       Validation 14(4), 2020.
    .. [3] J. N. K. Rao, A. J. Scott, "On chi-squared tests for multiway contingency tables with cell proportions
       estimated from survey data", Ann. Statist. 12, 1984.

    Examples
    --------
    Status of the checking account in the German credit data:

    >>> iv = information_value([139, 49, 164, 348], [135, 14, 105, 46])
    >>> round(iv.estimate, 6), round(iv.se, 6)
    (0.666012, 0.114461)
    >>> [round(end, 4) for end in iv.ci]
    [0.4493, 0.8946]
    >>> iv.test(margin=0.3).pvalue < 0.001
    True
    >>> round(information_value([139, 49, 164, 348], [135, 14, 105, 46], design="fixed-bins").se, 6)
    0.113695
    """
    choice("design", design, IV_DESIGNS)
    smoothing = check_smoothing(smoothing)
    if isinstance(good, SurveyTable):
        (first, second), survey = survey_parts(good, "bad", bad, design)
        found = describe(good.sampling(), good.used, smoothing)
        return IVResult(good=first, bad=second, design="survey" if survey else design, survey=survey, **found)
    if bad is None:
        raise fail("bad", None, "the counts of the bads; only a survey table goes without")
    x, y = whole_counts("good", good), whole_counts("bad", bad)
    same_shape("good", x, "bad", y)
    used = x + y > 0
    model = FixedBins if design == "fixed-bins" else IndependentSamples
    found = describe(model(x[used], y[used]), used, smoothing)
    return IVResult(design=design, survey=None, good=x.astype(np.int64), bad=y.astype(np.int64), **found)


def psi(
    actual: ArrayLike | SurveyTable,
    expected: ArrayLike | None = None,
    *,
    baseline: str = "random",
    design: str = "two-sample",
    smoothing: float = 0,
) -> PSIResult:
    r"""Return the population stability index with its inference.

    Parameters
    ----------
    actual : array_like
        Whole counts now, shape ``(bins,)``; for ``design="paired"`` the transition table of shape ``(bins, bins)``:
        entry (i, j) counts the accounts that are in bin i now and were in bin j at the baseline. Or a table of
        `survey_table`, whose sample 0 is now and sample 1 the baseline, for rows with weights or in clusters.
    expected : array_like
        Whole counts at the baseline; for "fixed" its shares, all positive, with sum 1; for "paired" and a survey left
        out.
    baseline : {"random", "fixed", "quantile", "paired"}
        How the baseline was obtained.

        * ``"random"``: a sample, independent of the current one.
        * ``"fixed"``: known shares. An estimated baseline treated as known understates the variance.
        * ``"quantile"``: a sample of which the bin edges are quantiles. Its counts are then nearly constant, but the
          law under ``J = 0`` is that of "random", since the edges vary instead; so is all that is computed.
        * ``"paired"``: the same as ``design="paired"``.
    design : {"two-sample", "joint", "paired"}
        How the counts were drawn.

        * ``"two-sample"``: two samples of given sizes.
        * ``"joint"``: one sample, split by date; to first order the same.
        * ``"paired"``: the same accounts at both dates.
    smoothing : float
        As in `information_value`. Known shares are not smoothed; a transition table is on its diagonal.

    Returns
    -------
    PSIResult

    Raises
    ------
    TypeError, ValueError
        As `information_value`; ValueError also for shares that are not positive or whose sum is not within 1e-9 of 1
        (within, they are divided by it), and for a table that is not square.

    Notes
    -----
    *Assumptions*: independent accounts (within each date for "paired") and bins that do not depend on the current
    sample. Under ``J = 0`` the statistic ``n_eff J`` is chi-square with bins - 1 degrees of freedom [1]_, ``n_eff = n``
    for known shares; for paired samples and surveys a weighted sum of chi-squares with the weights `null_weights`, and
    ``n_eff = n / 2`` for paired samples.

    References
    ----------
    .. [1] B. Yurdakul, J. Naranjo, "Statistical properties of the population stability index", Journal of Risk Model
       Validation 14(4), 2020.

    Examples
    --------
    >>> shift = psi([48, 102, 203, 297, 205, 95, 50], [0.05, 0.1, 0.2, 0.3, 0.2, 0.1, 0.05], baseline="fixed")
    >>> round(shift.estimate, 9), round(shift.pvalue, 4)
    (0.000575996, 0.9968)
    >>> shift.test(margin=0.1, alternative="less").pvalue < 1e-6
    True
    >>> moved = psi([[90, 12, 0], [10, 80, 15], [0, 8, 85]], baseline="paired")
    >>> moved.n_eff, moved.null_weights.round(3)
    (150.0, array([0.114, 0.334]))
    """
    choice("baseline", baseline, BASELINES)
    choice("design", design, PSI_DESIGNS)
    smoothing = check_smoothing(smoothing)
    if baseline == "fixed" and design != "two-sample":
        raise fail("design", design, "'two-sample' for baseline='fixed', known shares, which are no sample")
    if isinstance(actual, SurveyTable):
        if baseline not in {"random", "quantile"}:
            raise fail("baseline", baseline, "'random' or 'quantile' for a survey table; clusters tell what is paired")
        (first, second), survey = survey_parts(actual, "expected", expected, design)
        sampling = actual.sampling()
        return PSIResult(
            baseline=baseline,
            design="survey" if survey else design,
            survey=survey,
            actual=first,
            expected=second,
            table=None,
            null_weights=sampling.null_weights(HALF),
            **describe(sampling, actual.used, smoothing),
        )
    if baseline == "paired" and design == "joint":
        raise fail("design", design, "'paired' for baseline='paired', which is the same")
    if "paired" in {baseline, design}:
        return _paired(actual, expected, smoothing)
    if expected is None:
        raise fail("expected", None, f"the {'shares' if baseline == 'fixed' else 'counts'} of the baseline")
    x = whole_counts("actual", actual)
    y = known_shares("expected", expected) if baseline == "fixed" else whole_counts("expected", expected)
    same_shape("actual", x, "expected", y)
    used = x + y > 0
    model: Sampling = FixedBaseline(x, y) if baseline == "fixed" else IndependentSamples(x[used], y[used])
    return PSIResult(
        baseline=baseline,
        design=design,
        survey=None,
        actual=x.astype(np.int64),
        expected=y if baseline == "fixed" else y.astype(np.int64),
        table=None,
        null_weights=model.null_weights(HALF),
        **describe(model, used, smoothing),
    )


def _paired(table: ArrayLike, expected: ArrayLike | None, smoothing: float) -> PSIResult:
    t = pair_table("actual", table, "expected", expected)
    x, y = t.sum(axis=1), t.sum(axis=0)
    used = x + y > 0
    sampling = PairedSamples(t[np.ix_(used, used)])
    return PSIResult(
        baseline="paired",
        design="paired",
        survey=None,
        actual=x.astype(np.int64),
        expected=y.astype(np.int64),
        table=t.astype(np.int64),
        null_weights=sampling.null_weights(smoothing),
        **describe(sampling, used, smoothing),
    )

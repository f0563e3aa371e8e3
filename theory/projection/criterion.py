"""The p-n criterion: whether a sample is large enough for the number of parameters."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from asymptopia.theory._core.result import format_number
from asymptopia.theory._core.rng import RNG
from asymptopia.theory._core.validation import choice, fail, integer, real
from asymptopia.theory.projection.bayes import kl_threshold
from asymptopia.theory.projection.bootstrap import LEAST_RESAMPLES, CriterionBootstrap, resample
from asymptopia.theory.projection.coefficients import smallest_size
from asymptopia.theory.projection.criterion_result import PNCriterion
from asymptopia.theory.projection.plugin import (
    PlugIn,
    Sample,
    flag,
    is_sampled,
    leverages,
    order_of,
    plug_in,
    read,
    series,
)
from asymptopia.theory.projection.status import FEW, HEAVY, LARGE_SECOND, NOISE, ProjectionStatus

if TYPE_CHECKING:
    from asymptopia.theory.projection.families.protocol import ExponentialFamily

BOUNDS = ("sharp", "pinsker", "local")

LEAST_ALPHA = 1e-100
"""Its square is a float."""


def pn_criterion(
    data: Any,
    family: ExponentialFamily,
    *,
    alpha: float = 0.05,
    order: int = 2,
    bias_correct: bool = True,
    bound: str = "sharp",
    bootstrap: int = 0,
    rng: RNG = None,
) -> PNCriterion:
    r"""Return whether n observations are enough for the p parameters of a model, right or misspecified.

    Parameters
    ----------
    data : array_like
        Observations as `family.statistic` takes them: shape (n,) or (n, d).
    family : ExponentialFamily
        The model.
    alpha : float
        In (0, 1/2): how far below 1/2 the Bayes error rate of telling the projection from its estimate may lie.
    order : {1, 2}
        Terms of the series.
    bias_correct : bool
        Take the bias of the plug-in first term off the second.
    bound : {"sharp", "pinsker", "local"}
        How the divergence is bounded by `alpha`, as `kl_threshold`.
    bootstrap : int
        Resamples for standard errors; 0 for none.
    rng : None, int, SeedSequence, BitGenerator or Generator
        Randomness of the bootstrap; a sampled family has its own seed.

    Returns
    -------
    PNCriterion
        Status: the most severe of those in `notes`. Under a discrete family it is at least CONDITIONAL, as that of
        `kl_risk_expansion` and `kl_risk_exact`, which says what risk is meant; `passed` is the verdict on that risk.

    Raises
    ------
    TypeError, ValueError
        If the data hold NaN or infinity, lie outside the sample space, are fewer than 3, or an option is out of range.
    MLEDoesNotExistError
        If the mean of the statistic is on the boundary of its range.
    NotMinimalError
        If a combination of the statistics does not vary under the model.

    Notes
    -----
    *Statement*: the divergence from the information projection to the maximum likelihood estimate has the mean

    .. math:: \frac{t_0}{2n} + \frac{1}{n^2}\left[\frac{A_3}{3} + \frac{3 A_4}{8}\right] + O(n^{-3}),

    with :math:`t_0 = \mathrm{tr}(G^{-1}\Sigma)`, :math:`A_3 = -t_1`, :math:`A_4 = t_{21} + 2 t_{22} - t_{31}`. It is
    estimated with the unbiased covariance :math:`\hat\Sigma` and third cumulant of the statistic and the model's
    cumulants at the estimate. The plug-in :math:`\hat t_0` has the bias :math:`(A_3 + A_4/2)/n`, so that

    .. math:: \frac{\hat t_0}{2n} + \frac{1}{n^2}\left[\frac{t_1}{6} + \frac{t_{21} + 2 t_{22} - t_{31}}{8}\right]

    is unbiased to :math:`O(n^{-3})`; the plug-in second term (``bias_correct=False``) is not, and neither would be a
    covariance with divisor n. At another size m the bias of :math:`\hat t_0` remains that of n: `required_n` and
    `risk_at` take the series :math:`c_1/m + c_2/m^2` with :math:`c_1 = \hat t_0/2 - (A_3/2 + A_4/4)/n` and the plug-in
    :math:`c_2 = A_3/3 + 3A_4/8`, which is the estimate above at m = n.

    *Assumptions*: independent observations, the statistic has six moments. For a discrete family, where some samples
    have no estimate, the risk is the one given that it exists: over all samples it would be infinite at every n.

    *Validity*: the sampling error of the first term is of order :math:`n^{-3/2}`, larger than the second term; ask for
    the bootstrap where the verdict is close.

    References
    ----------
    .. [1] Y. Sheena, "MLE convergence speed to information projection of exponential family: Criterion for model
       dimension and sample size -- complete proof version", arXiv 2105.08947, 2021 (series; the bias correction and the
       sharp bound are derived here).

    Examples
    --------
    >>> from asymptopia.theory.projection.families import MultivariateNormal
    >>> x = np.random.default_rng(0).standard_normal((200, 4))
    >>> found = pn_criterion(x, MultivariateNormal(4))
    >>> found.p, found.passed, round(found.naive, 3), round(found.risk, 3), found.required_n
    (14, False, 0.035, 0.037, 362)
    """
    return criterion_of(
        data,
        family,
        alpha=alpha,
        order=order,
        bias_correct=bias_correct,
        bound=bound,
        bootstrap=bootstrap,
        rng=rng,
    )


def criterion_of(
    data: Any,
    family: ExponentialFamily,
    *,
    alpha: float,
    order: int,
    bias_correct: bool,
    bound: str,
    bootstrap: int,
    rng: RNG,
    rows: NDArray[np.intp] | None = None,
) -> PNCriterion:
    """Return `pn_criterion`, with `rows` the numbers of the observations in the table that they come from."""
    alpha = real("alpha", alpha, LEAST_ALPHA, 0.5, closed="left")
    order = order_of(order)
    choice("bound", bound, BOUNDS)
    repeats = integer("bootstrap", bootstrap, 0)
    if 0 < repeats < LEAST_RESAMPLES:
        raise fail("bootstrap", repeats, f"0, or at least {LEAST_RESAMPLES}")
    threshold = float(kl_threshold(alpha, bound=bound))
    correct = flag("bias_correct", bias_correct)
    reading = read(data, family)
    family, sample = reading.family, reading.sample
    if repeats and is_sampled(family):
        message = (
            f"bootstrap is {repeats}, but the moments of {family.name} are sampled and each resample would solve for "
            "the projection anew; use bootstrap=0 and mc_error"
        )
        raise ValueError(message)
    found = plug_in(family, sample, order=order, bias_correct=correct)
    n, p = sample.n, family.dim
    first, second = found.first / n, found.second / n**2
    risk = first + second
    error = found.mc_error
    draws: CriterionBootstrap | None = None
    if repeats:
        draws = resample(sample, family, repeats=repeats, order=order, bias_correct=correct, rng=rng)
    at, share = _largest(family, found, sample)
    row = at if rows is None else int(rows[at])
    c1, c2 = series(found, n, bias_correct=correct)
    same = p > 0 and found.first == 0.0
    required = None if same else smallest_size((c1, c2), threshold)
    limits = [
        *_limits(family, n, risk, abs(c2) / (n * abs(c1)) if c2 else 0.0, (row, share), error),
        *([] if required is not None or same else [(ProjectionStatus.NO_ROOT, ProjectionStatus.NO_ROOT.message)]),
        *_conditional(family, n, draws),
    ]
    return PNCriterion(
        status=ProjectionStatus.worst(status for status, _ in limits),
        passed=0.0 <= risk <= threshold and not same,
        risk=risk,
        first=first,
        second=second,
        threshold=threshold,
        t0=2.0 * found.first,
        p=p,
        n=n,
        required_n=required,
        c1=c1,
        c2=c2,
        mc_error=error,
        theta_star=np.array(reading.back(found.theta)),
        alpha=alpha,
        bound=bound,
        order=order,
        bias_correct=correct,
        family=family.name,
        second_error=None if draws is None else draws.second_se,
        contractions=found.contractions,
        largest_share=share,
        largest_row=row,
        bootstrap=draws,
        notes=tuple(sentence for _, sentence in limits),
    )


def _largest(family: ExponentialFamily, found: PlugIn, sample: Sample) -> tuple[int, float]:
    """Return the observation that carries most of t0, and its share; 0 where all are the same."""
    if found.first == 0.0:
        return 0, 0.0
    own = leverages(family, found.theta, sample)
    at = int(np.argmax(own))
    row = at if sample.observations is None else int(sample.observations[at])
    return row, float(own[at] / (sample.counts @ own))


def _limits(
    family: ExponentialFamily, n: int, risk: float, ratio: float, largest: tuple[int, float], error: float
) -> Iterator[tuple[ProjectionStatus, str]]:
    """Yield each limit of validity and its sentence."""
    p = family.dim
    row, share = largest
    if risk < 0:
        yield ProjectionStatus.NEGATIVE_RISK, ProjectionStatus.NEGATIVE_RISK.message
    if n <= p:
        yield (
            ProjectionStatus.UNSTABLE_MOMENTS,
            f"n = {n} is at most p = {p}: the covariance of the statistic has rank below p; take fewer statistics or "
            "more data.",
        )
    elif n <= FEW * p:
        yield (
            ProjectionStatus.UNSTABLE_MOMENTS,
            f"n = {n} is at most {FEW} p = {FEW * p}: sample third moments are unstable; bootstrap the criterion.",
        )
    if p and share == 0.0:
        yield (
            ProjectionStatus.UNSTABLE_MOMENTS,
            "The statistic is the same for all observations: t0 is 0, and these data say nothing about the risk.",
        )
    if share > HEAVY:
        yield (
            ProjectionStatus.UNSTABLE_MOMENTS,
            f"Row {row} (the first is 0) carries {share:.0%} of t0: heavy tails, an outlier or few data; look at it, "
            "and bootstrap the criterion.",
        )
    if error > NOISE * abs(risk):
        yield (
            ProjectionStatus.NOISY,
            f"The Monte Carlo error {format_number(error, 3)} exceeds 10 % of the risk: draw more from the model.",
        )
    if ratio > LARGE_SECOND:
        yield (
            ProjectionStatus.SMALL_SAMPLE,
            f"The second term of the series is {ratio:.0%} of the first: it is not to be relied on at this n.",
        )


def _conditional(
    family: ExponentialFamily, n: int, draws: CriterionBootstrap | None
) -> Iterator[tuple[ProjectionStatus, str]]:
    """Yield CONDITIONAL where some samples have no estimate: under every discrete family, however rare they are."""
    if draws is not None and draws.lost:
        yield (
            ProjectionStatus.CONDITIONAL,
            f"The estimate does not exist in {draws.lost} of {draws.repeats} resamples: risk and verdict are those "
            "given that it exists.",
        )
    elif family.discrete and family.dim:
        yield (
            ProjectionStatus.CONDITIONAL,
            f"Some samples of {n} have no estimate under {family.name}: risk and verdict are those given that it "
            "exists.",
        )

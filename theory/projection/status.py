"""What can limit the validity of a result on the risk of the maximum likelihood estimator."""

from __future__ import annotations

from collections.abc import Iterable

from asymptopia.theory._core.status import Status

LARGE_SECOND = 0.3
"""Second term over the first from which the series is not relied on."""
FEW = 10
"""Observations a parameter up to which sample moments are called unstable."""
HEAVY = 0.1
"""Share of t0 in one observation from which the tails are called heavy."""
NOISE = 0.1
"""Monte Carlo error over the risk from which a sampled family is called noisy."""


class ProjectionStatus(Status):
    """Validity of a result on the risk of an estimated exponential family, from the least to the most severe."""

    OK = "The value lies within the validity of its theory."
    CONDITIONAL = (
        "With positive probability no MLE exists, so that the risk over all samples is infinite: the value is the risk "
        "given that it exists, from which the other smooth conventions differ by exponentially small terms only."
    )
    SMOOTHED = (
        "The risk is that of an estimator which adds pseudo-counts, not of the MLE; its coefficient of 1/n^2 differs."
    )
    SMALL_SAMPLE = (
        "The term of order 1/n^2 exceeds 0.3 of the leading one: the series is not to be relied on at this n; use the "
        "exact risk or a larger n."
    )
    NOISY = (
        "The Monte Carlo error of the sampled model exceeds 10 % of the risk: draw more, or average independent runs."
    )
    UNSTABLE_MOMENTS = (
        "Sample third moments of the statistic carry the second coefficient, and they are unstable here: n is at most "
        "10 p or the tails are heavy; bootstrap it before you rely on it."
    )
    NEGATIVE_RISK = (
        "The series is negative at this n, which no risk is: n is far too small for it, or the tails of the truth are "
        "heavy."
    )
    NO_ROOT = (
        "The series says nothing about the n required: its second coefficient is so negative that it stays below the "
        "tolerance at every n, or its first, with the bias taken off, is not positive; use the first order or the "
        "exact risk."
    )
    INFINITE_RISK = "The risk is infinite at this n: the divergence to the estimate has no mean."
    NO_MLE = (
        "The mean of the statistic lies on the boundary of its range: no MLE exists, and no projection; merge or drop "
        "empty cells."
    )

    @classmethod
    def worst(cls, found: Iterable[ProjectionStatus]) -> ProjectionStatus:
        """Return the most severe of `found`, OK if there is none."""
        order = list(cls)
        return max(found, key=order.index, default=cls.OK)

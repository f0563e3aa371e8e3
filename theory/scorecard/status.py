"""What can limit the validity of a scorecard result."""

from __future__ import annotations

from collections.abc import Iterable

from asymptopia.theory._core.status import Status


class ScorecardStatus(Status):
    """Validity of a result on bin counts, from the least to the most severe."""

    OK = "The counts are large enough for the asymptotic laws."
    SPARSE = (
        "Few observations a bin (an expected count below 1, or fewer than 5 observations a bin in the smaller sample): "
        "the interval can cover far less than its level; merge bins."
    )
    CHI2_SPARSE = (
        "An expected count is below 5: the chi-square law of the statistic is approximate (sizes of 1.4 to 8.5 % at a "
        "nominal 5 % were measured); use method='exact' or 'monte-carlo'."
    )
    ZERO_CELL_FINITE = (
        "A bin is empty in one sample only: the estimate is finite, but the delta method does not hold there, so that "
        "the standard error and the bias (NaN where their limit is infinite) are not to be relied on; the interval "
        "uses smoothed counts."
    )
    FEW_CLUSTERS = (
        "Fewer than 30 clusters in a sample: the covariance of the shares is poorly estimated. Measured at 10 to 15 "
        "clusters a sample, 95 % intervals cover 91 to 95 %."
    )
    ZERO_CELL = (
        "A bin is empty in one sample only: the plug-in estimate is infinite and has no standard error; the test and "
        "the interval use smoothed counts (1/2 a bin, or `smoothing`)."
    )
    NO_MOVES = (
        "No account changed its bin, or the clusters do not differ: nothing can be tested and there is no interval."
    )
    ONE_BIN = (
        "One bin holds all observations of both samples: the divergence is 0 by definition and nothing can be tested."
    )

    @classmethod
    def worst(cls, found: Iterable[ScorecardStatus]) -> ScorecardStatus:
        """Return the most severe of `found`, OK if there is none."""
        order = list(cls)
        return max(found, key=order.index, default=cls.OK)

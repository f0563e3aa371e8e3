"""What can limit the validity of a result on kernel density estimates."""

from __future__ import annotations

from collections.abc import Iterable

from asymptopia.theory._core.status import Status


class KDEStatus(Status):
    """Validity of a result on kernel density estimates, from the least to the most severe."""

    OK = "The value is exact for the stated problem, or the leading order in the dimension where it says so."
    CONDENSED = (
        "The bandwidth is below h_G: a handful of samples sets the density at a typical point, and averages over data "
        "sets are not typical; the finite-size integrals hold, normal approximations do not."
    )
    STABLE = (
        "The bandwidth is between h_G and h_CLT: the density is near its mean, but its fluctuation follows a skewed "
        "stable law; standard errors from sample variances are too short."
    )
    CRITICAL = (
        "The stability index is exactly 1 or 2: two regimes meet and the limit law carries logarithms that the "
        "formulas leave out; take a bandwidth a little off."
    )
    ALWAYS_CONDENSED = (
        "The tails of the kernel have a fixed number of degrees of freedom: every bandwidth is in the condensed phase "
        "and there are no thresholds."
    )
    NEVER_CONDENSED = (
        "The entropy of the data is at most log(n)/d: every state occurs many times, so that no sample dominates at "
        "any bandwidth."
    )
    NO_OPTIMUM_BELOW = (
        "The point is so far out (r2 is large) that its density is largest above h_G: h_star and kl_min do not exist "
        "for it."
    )
    NO_DENSITY = (
        "An eigenvalue is 0: the data have no density in the whole space, so that every divergence from it is "
        "infinite; drop constant coordinates."
    )
    LOW_DIMENSION = "The dimension is below 8: formulas that are asymptotic in it are not to be relied on."
    SHORT_SPACING = (
        "The expansion needs log(d)/d small beside alpha, and the remainder is not: use the exact integrals."
    )
    DUPLICATES = (
        "Some points occur more than once, so that their nearest neighbour is at distance 0; duplicates were left out."
    )
    EMPTY = "A kernel of bounded support holds no sample at some query: the density there is 0 and its logarithm -inf."

    @classmethod
    def worst(cls, found: Iterable[KDEStatus]) -> KDEStatus:
        """Return the most severe of `found`, OK if there is none."""
        order = list(cls)
        return max(found, key=order.index, default=cls.OK)

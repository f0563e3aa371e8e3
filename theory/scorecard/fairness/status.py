"""What can limit the validity of a performance-fairness front."""

from __future__ import annotations

from collections.abc import Iterable

from asymptopia.theory._core.status import Status


class FrontStatus(Status):
    """Validity of a front, from the least to the most severe."""

    OK = "Every point is optimal; intervals and p-values are from held-out counts."
    IN_SAMPLE = (
        "Every point is optimal for these counts. Intervals and p-values come from the counts that chose the bins and "
        "are biased by this selection: give `holdout`."
    )
    SPARSE = (
        "Some intervals rest on few observations a bin and can cover far less than their level: raise `min_share`, "
        "lower `max_bins` or hold out more rows."
    )
    NOT_PROVEN = "Some points keep their budget but are not proven optimal: see their `gap` and `bound`."
    TIME_LIMIT = (
        "The time was over before every point was proven optimal: see `gap` and `bound`, or raise `time_limit`."
    )

    @classmethod
    def worst(cls, found: Iterable[FrontStatus]) -> FrontStatus:
        """Return the most severe of `found`, OK if there is none."""
        order = list(cls)
        return max(found, key=order.index, default=cls.OK)

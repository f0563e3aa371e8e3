"""What can limit a binning."""

from __future__ import annotations

from asymptopia.theory._core.status import Status


class BinningStatus(Status):
    """Outcome of a search for bins."""

    OK = "The bins are the exact optimum."
    MERGED = (
        "Prebins at an end hold one outcome only and were merged with their neighbours, for a bin of one outcome has "
        "an infinite Weight of Evidence: the bins are the exact optimum among those that hold both; smoothing > 0 "
        "keeps such prebins."
    )
    ONE_BIN = (
        "One bin is the optimum: no cut that the trend, the constraints and the need of both outcomes in every bin "
        "allow raises the divergence."
    )
    INFEASIBLE = (
        "Even one bin of all prebins misses min_share or min_events: it is returned, with the divergence 0 of the "
        "ordered prebins."
    )
    ZERO_CELL = (
        "A cell (missing values, or all others) holds one outcome only: the divergence is infinite or not "
        "meaningful; give smoothing > 0. The permutation test adds 1/2 to the counts of a missing cell of one outcome."
    )
    CONSTANT = "All numbers are equal: one prebin, and nothing can be cut."

"""Exact optimal binning: prebins, the hull and the dynamic programme, the permutation test of a binned feature."""

from __future__ import annotations

from typing import TYPE_CHECKING

from asymptopia.theory._core.lazy import attach

if TYPE_CHECKING:
    from asymptopia.theory.scorecard.binning.optimal import optimal_bins as optimal_bins
    from asymptopia.theory.scorecard.binning.prebins import Prebins as Prebins
    from asymptopia.theory.scorecard.binning.prebins import prebin as prebin
    from asymptopia.theory.scorecard.binning.result import BinningResult as BinningResult

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "optimal": ("optimal_bins",),
        "prebins": ("Prebins", "prebin"),
        "result": ("BinningResult",),
    },
)

"""The compiled kernels of optimal binning: one numba source, written out and compiled at the first use."""

from __future__ import annotations

from functools import cache
from types import ModuleType

from asymptopia.theory._core.units import load_unit
from asymptopia.theory.scorecard.binning.source_gains import GAINS, KINDS
from asymptopia.theory.scorecard.binning.source_programme import PROGRAMME
from asymptopia.theory.scorecard.binning.source_search import SEARCH

__all__ = ["KINDS", "unit"]


@cache
def unit() -> ModuleType:
    """Return the compiled module.

    Notes
    -----
    What others call, with K prebins, counts of int64 or float64 and nodes ``0 = .. = K``:

    * ``programme(gain, cum_good, cum_bad, max_bins, trend)`` returns ``(value, nodes)``. ``gain[i, j]`` is the value of
      the segment of prebins i to j - 1, -inf where it is forbidden (one without rows must be); the sum of the segments
      is maximised. `cum_good` and `cum_bad` have length K + 1 and start with 0. `trend` is 1 for a non-decreasing
      event rate along the bins, -1 for a non-increasing one, 0 for none. `max_bins` of 0, or of K and more, is no
      limit. Without a feasible partition the value is -inf and there are no nodes. Cost: ``M K^2``, and
      ``K^2 log K`` once for the ranks of the rates where there is a trend.
    * ``segment_gains(good, bad, kind, pseudo)`` returns the gains of an f-divergence by its code in `KINDS`. With
      `pseudo` 0 a segment without goods or without bads is -inf; otherwise `pseudo` is added to both counts of the
      segment and the totals are left as they are.
    * ``hull(good, bad)`` returns the nodes of the isotonic blocks, ascending; ``hull(bad, good)`` the descending ones.

    Rates are compared exactly: correctly rounded quotients, and correctly rounded products in the minorant, are in the
    order of the exact ones unless they are equal; then the cross products are compared with their rounding errors
    (Dekker's product), exact for totals up to 2**53.
    """
    return load_unit("scorecard_binning", GAINS + PROGRAMME + SEARCH)

"""Analytic results, symbolic and numeric. Each result is a subpackage with the same file names."""

from __future__ import annotations

from typing import TYPE_CHECKING

from asymptopia.theory._core.lazy import attach

if TYPE_CHECKING:
    from asymptopia.theory import alignment as alignment
    from asymptopia.theory import kde as kde
    from asymptopia.theory import projection as projection
    from asymptopia.theory import scaling as scaling
    from asymptopia.theory import scorecard as scorecard
    from asymptopia.theory import softmax as softmax

__getattr__, __dir__, __all__ = attach(
    __name__, dict.fromkeys(("alignment", "kde", "projection", "scaling", "scorecard", "softmax"), ())
)

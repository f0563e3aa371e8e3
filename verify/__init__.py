"""Monte Carlo checks that could refute the results of `asymptopia.theory`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from asymptopia.theory._core.lazy import attach

if TYPE_CHECKING:
    from asymptopia.verify.api import run as run
    from asymptopia.verify.checks import select as select
    from asymptopia.verify.engine.build import Kernel as Kernel
    from asymptopia.verify.engine.check import Case as Case
    from asymptopia.verify.engine.check import Check as Check
    from asymptopia.verify.engine.check import Control as Control
    from asymptopia.verify.engine.check import Mutant as Mutant
    from asymptopia.verify.engine.check import Target as Target
    from asymptopia.verify.engine.histogram import histogram as histogram
    from asymptopia.verify.engine.report import Report as Report
    from asymptopia.verify.engine.sequential import Verdict as Verdict
    from asymptopia.verify.own import check as check

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "api": ["run"],
        "checks": ["select"],
        "engine.build": ["Kernel"],
        "engine.check": ["Case", "Check", "Control", "Mutant", "Target"],
        "engine.histogram": ["histogram"],
        "engine.report": ["Report"],
        "engine.sequential": ["Verdict"],
        "own": ["check"],
    },
)

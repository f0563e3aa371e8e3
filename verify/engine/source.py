"""Where the totals of block ranges come from: the ledger where it has them, else the pool."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from asymptopia.verify.engine.exact import Totals
from asymptopia.verify.engine.ledger import Ledger, Range
from asymptopia.verify.engine.pool import Job, Piece


class Blocks(Protocol):
    """Whatever computes block ranges: threads here, or a cluster."""

    @property
    def threads(self) -> int:
        """Threads that it has."""

    def start(self) -> None:
        """Prepare for another kernel."""

    def blocks(self, job: Job, first: int, last: int, done: Piece | None = None) -> Totals:
        """Return the totals of the blocks ``first .. last - 1``."""


class MissingBlocksError(LookupError):
    """A ledger lacks blocks and nothing may be computed."""


@dataclass(slots=True)
class Source:
    """Totals by block range, computed at most once.

    Attributes
    ----------
    pool : Blocks or None
        Computes what the ledger lacks; None computes nothing.
    ledger : Ledger or None
        Remembers.
    """

    pool: Blocks | None
    ledger: Ledger | None = None

    def blocks(self, job: Job, spec: str, first: int, last: int) -> Totals:
        """Return the totals of the blocks ``first .. last - 1`` of a case.

        Raises
        ------
        MissingBlocksError
            If there is no pool and the ledger lacks some of them.
        LedgerError
            If the ledger holds some of them twice, or a range that crosses an end.
        """
        total = Totals.empty(len(job.windows))
        at = first
        for known in self._known(spec, first, last):
            total = total + self._compute(job, spec, at, known.first) + known.totals
            at = known.last
        return total + self._compute(job, spec, at, last)

    def _known(self, spec: str, first: int, last: int) -> list[Range]:
        if self.ledger is None:
            return []
        return [item for item in self.ledger.ranges(spec) if first <= item.first and item.last <= last]

    def _compute(self, job: Job, spec: str, first: int, last: int) -> Totals:
        if first >= last:
            return Totals.empty(len(job.windows))
        if self.pool is None:
            message = f"the ledger lacks the blocks {first} to {last - 1}"
            raise MissingBlocksError(message)
        ledger = self.ledger
        if ledger is None:
            return self.pool.blocks(job, first, last)
        return self.pool.blocks(job, first, last, lambda a, b, part: ledger.append(Range(spec, a, b, part)))

"""The report of a run: entries, JSON, data frame, exit status.

Notes
-----
Schema of the JSON: ``schema``, ``seed``, ``profile``, ``alpha``, ``manifest`` and ``checks``, a list with the fields of
`Entry` for each target. ``claim`` in it says whether ``theory`` is the value or a bound on it. ``path`` holds a row for
each look, ``[replicates, estimate, low, high]``, up to the look at which the verdict fell; that of a mutant is empty
unless the mutant speaks of a statistic of its own. Numbers that JSON lacks are null. Two runs with the same seed give
the same JSON but for the fields in `VOLATILE`.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, Self, cast

from asymptopia.verify.engine.entry import Entry, entry_from, take
from asymptopia.verify.engine.evidence import e_benjamini_hochberg
from asymptopia.verify.engine.manifest import manifest

if TYPE_CHECKING:
    from matplotlib.axes import Axes

SCHEMA = 1
EXIT_PASS, EXIT_FAIL, EXIT_USAGE, EXIT_INCONCLUSIVE, EXIT_INTERRUPTED = 0, 1, 2, 3, 130
VOLATILE = frozenset({"seconds", "device", "threads"})
"""Fields that may differ between two runs of the same seed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """The outcome of a run."""

    entries: tuple[Entry, ...]
    seed: int
    profile: str
    alpha: float
    manifest: Mapping[str, Any]

    @classmethod
    def of(
        cls,
        *,
        entries: Sequence[Entry],
        seed: int,
        profile: str,
        alpha: float,
        device: str,
        threads: int,
        kernels: Mapping[str, str],
    ) -> Report:
        """Return the report of finished entries, with the manifest of this machine."""
        facts = manifest(device=device, threads=threads, kernels=kernels)
        return cls(entries=tuple(entries), seed=seed, profile=profile, alpha=alpha, manifest=facts)

    def count(self, status: str) -> int:
        """Return how many entries have the status."""
        return sum(entry.status == status for entry in self.entries)

    def e_rejected(self, alpha: float = 0.05) -> tuple[str, ...]:
        """Return the entries that a sweep rejects at false discovery rate alpha (e-BH), under any dependence.

        For exploring a grid of parameters: verdicts control the chance of any wrong call, this the share of wrong
        calls. Entries without an e-value (bounds, no interval) are left out.
        """
        known = [entry for entry in self.entries if not math.isnan(entry.log_e_value)]
        if not known:
            return ()
        rejected = e_benjamini_hochberg([entry.log_e_value for entry in known], alpha=alpha)
        return tuple(entry.id for entry, out in zip(known, rejected, strict=True) if out)

    @property
    def exit_code(self) -> int:
        """0 if all pass, 1 if any fails, 3 if any is inconclusive."""
        if self.count("fail"):
            return EXIT_FAIL
        return EXIT_INCONCLUSIVE if self.count("inconclusive") else EXIT_PASS

    @property
    def checks(self) -> tuple[str, ...]:
        """Identifiers of the checks that were run, in order."""
        kernels = self.manifest.get("kernels")
        named = kernels if isinstance(kernels, Mapping) and kernels else (entry.check for entry in self.entries)
        return tuple(dict.fromkeys(named))

    def entry(self, entry_id: str) -> Entry:
        """Return the entry of that identifier.

        Raises
        ------
        KeyError
            If there is none; the message names the nearest.
        """
        found = {entry.id: entry for entry in self.entries}
        if entry_id not in found:
            near = get_close_matches(entry_id, found, n=3, cutoff=0.4) or list(found)[:3]
            message = f"no target {entry_id!r} in the report; near: {', '.join(near) or 'none'}"
            raise KeyError(message)
        return found[entry_id]

    def to_dict(self) -> dict[str, Any]:
        """Return the report as plain data; numbers that JSON lacks become None."""
        return {
            "schema": SCHEMA,
            "seed": self.seed,
            "profile": self.profile,
            "alpha": self.alpha,
            "manifest": dict(self.manifest),
            "checks": [entry.to_dict() for entry in self.entries],
        }

    @classmethod
    def from_dict(cls, data: Any) -> Self:
        """Return the report that `to_dict` wrote.

        Raises
        ------
        ValueError
            If the data are no report, or one of another schema.
        """
        if not isinstance(data, Mapping) or "schema" not in data:
            message = "no report of asymptopia verify: there is no 'schema'"
            raise ValueError(message)
        if data["schema"] != SCHEMA:
            message = f"the report has schema {data['schema']!r}; this version reads schema {SCHEMA}"
            raise ValueError(message)
        entries = []
        for at, item in enumerate(take(data, "checks", "list")):
            try:
                entries.append(entry_from(item))
            except ValueError as error:
                message = f"no report of asymptopia verify: checks[{at}]: {error}"
                raise ValueError(message) from None
        return cls(
            entries=tuple(entries),
            seed=take(data, "seed", "int"),
            profile=take(data, "profile", "str"),
            alpha=take(data, "alpha", "float"),
            manifest=take(data, "manifest", "object"),
        )

    def to_json(self, *, indent: int | None = 2) -> str:
        """Return the report as JSON; a list of numbers stands on one line."""
        text = json.dumps(self.to_dict(), indent=indent, allow_nan=False)
        # no string can match: a line break inside one is written as an escape
        return re.sub(r'\[\n[^\[\]{}"]*\]', lambda found: " ".join(found[0].split()), text)

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Return the report that `to_json` wrote."""
        return cls.from_dict(json.loads(text))

    def summary(self) -> str:
        """Return one line: how many passed, failed, are inconclusive; mutants; seed."""
        mutants = [mutant for entry in self.entries for mutant in entry.mutants]
        return (
            f"{len(self.entries)} targets: {self.count('pass')} passed, {self.count('fail')} failed, "
            f"{self.count('inconclusive')} inconclusive; {sum(m.rejected for m in mutants)} of {len(mutants)} mutants "
            f"rejected; seed {self.seed}"
        )

    def to_html(self) -> str:
        """Return one self-contained HTML page with a figure for each target."""
        from asymptopia.verify.engine.html import render

        return render(self)

    def to_junit(self) -> str:
        """Return the report as JUnit XML."""
        from asymptopia.verify.engine.junit import render

        return render(self)

    def _repr_html_(self) -> str:
        from asymptopia.verify.engine.html import compact

        return compact(self)

    def to_frame(self, backend: str = "pandas") -> Any:
        """Return a native data frame with a row for each target.

        Parameters
        ----------
        backend : str
            A data frame library that narwhals knows: ``"pandas"``, ``"polars"``, ``"pyarrow"``.

        Raises
        ------
        ModuleNotFoundError
            If that library is not installed.
        """
        import narwhals as nw

        from asymptopia.verify.engine.rows import frame_columns

        return nw.from_dict(frame_columns(self.entries), backend=cast("Any", backend)).to_native()

    def plot(self, entry_id: str, ax: Axes | None = None) -> Axes:
        """Draw the running interval of a target against its tolerance; return the Axes.

        Parameters
        ----------
        entry_id : str
            Identifier of the target, as in ``entries`` and in the table.
        ax : matplotlib Axes, optional
            Where to draw; made if None.
        """
        from asymptopia.verify.engine.plots import plot_entry

        return plot_entry(self.entry(entry_id), ax)

"""A check of your own: one decorated scalar function."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

from asymptopia.verify.engine.build import Kernel
from asymptopia.verify.engine.check import Case, Check, Mutant, Target


def check(
    *,
    theory: float,
    delta: float,
    delta_reason: str,
    sd: float,
    mutants: Mapping[str, float],
    params: Sequence[float] = (),
    name: str | None = None,
    kind: Literal["mean", "proportion"] = "mean",
    claim: Literal["equal", "at_most", "at_least"] = "equal",
    budget: int = 1 << 24,
) -> Callable[[Callable[..., Any]], Check]:
    """Return a decorator that makes a check of a function which computes one replicate.

    Parameters
    ----------
    theory : float
        The expectation of the replicate that is claimed, or the bound on it.
    delta, delta_reason : float, str
        The tolerance within which it is claimed, > 0, and why: rounding, the next-order term, a stated band.
    sd : float
        Anticipated standard deviation of a replicate. It costs replicates if it is wrong, never validity.
    mutants : mapping of str to float
        What else the theory could have said, by name; the check must refute each.
    params : sequence of float
        Passed to the function.
    name : str, optional
        ``"own.<name of the function>"`` if None. Part of the random key.
    kind : {"mean", "proportion"}
        ``"proportion"`` for replicates that are 0 or 1: judged by an exact sequence.
    claim : {"equal", "at_most", "at_least"}
        Whether `theory` is the value or a bound.
    budget : int
        Replicates at most.

    Returns
    -------
    callable
        Takes ``replicate(stream, params) -> float`` and returns a `Check` for `asymptopia.verify.run`.

    Notes
    -----
    The function is scalar Python: numbers, arithmetic, loops, conditions, and the functions of
    `asymptopia.verify.device` (uniform, normal, binomial, log, exp, ...), which take the stream and the index of its
    next unused block and return the value with the index after it. The same text runs compiled on every core and, for
    debugging, as plain Python (``run(..., target="python")``).

    Examples
    --------
    The expectation of the larger of two normals is ``1 / sqrt(pi)``:

    >>> from asymptopia import verify
    >>> from asymptopia.verify.device.normal import normal
    >>> @verify.check(
    ...     theory=0.5641895835477563,
    ...     delta=0.01,
    ...     delta_reason="stated band",
    ...     sd=0.83,
    ...     mutants={"mean of the absolute value": 0.7978845608028654},
    ... )
    ... def larger_of_two(stream, params):
    ...     x, j = normal(stream, 0)
    ...     y, j = normal(stream, j)
    ...     return max(x, y)
    >>> report = verify.run(larger_of_two, rng=7)
    >>> report.entries[0].status, report.entries[0].mutant_rejected
    ('pass', True)
    """

    def decorate(replicate: Callable[..., Any]) -> Check:
        title = (replicate.__doc__ or "").strip().partition("\n")[0] or replicate.__name__.replace("_", " ")
        target = Target(
            name="value",
            statistic="value",
            theory=theory,
            delta=delta,
            delta_reason=delta_reason,
            sd=sd,
            kind=kind,
            claim=claim,
            mutants=tuple(Mutant(name=label, theory=value) for label, value in mutants.items()),
        )
        case = Case(name="", params=tuple(map(float, params)), targets=(target,), budget=budget)
        return Check(
            id=name or f"own.{replicate.__name__}",
            statement=title,
            kernel=Kernel(replicate, ("value",)),
            cases=lambda _: (case,),
        )

    return decorate

"""Families by name, as they are made of the columns of a table."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from asymptopia.theory._core.validation import choice, fail
from asymptopia.theory.projection.frames import Columns

if TYPE_CHECKING:
    from asymptopia.theory.projection.families.protocol import ExponentialFamily


class Kind(NamedTuple):
    """How a family is made of columns."""

    coded: bool
    """Columns are coded by their levels."""
    least: int
    """Fewest columns."""
    most: int | None
    """Most columns; None for any number."""
    options: tuple[str, ...]
    make: Callable[[Columns, Mapping[str, Any]], ExponentialFamily]


def _mvn(columns: Columns, options: Mapping[str, Any]) -> ExponentialFamily:
    from asymptopia.theory.projection.families import MultivariateNormal

    return MultivariateNormal(columns.values.shape[1], **options)


def _mvn_cov(columns: Columns, options: Mapping[str, Any]) -> ExponentialFamily:
    return _mvn(columns, {"known_mean": True, **options})


def _scalar(name: str) -> Callable[[Columns, Mapping[str, Any]], ExponentialFamily]:
    def make(_: Columns, options: Mapping[str, Any]) -> ExponentialFamily:
        from asymptopia.theory.projection import families

        found: ExponentialFamily = getattr(families, name)(**options)
        return found

    return make


def _negative_binomial(columns: Columns, options: Mapping[str, Any]) -> ExponentialFamily:
    from asymptopia.theory.projection.families import NegativeBinomial

    if "size" not in options:
        mean, variance = columns.values.mean(), columns.values.var(ddof=1)
        hint = f"; moments suggest {mean**2 / (variance - mean):.3g}" if variance > mean else ""
        message = f"size is missing: the negative-binomial family has it known{hint}"
        raise TypeError(message)
    return NegativeBinomial(options["size"])


def _multinomial(columns: Columns, _: Mapping[str, Any]) -> ExponentialFamily:
    from asymptopia.theory.projection.families import Multinomial

    return Multinomial(len(columns.levels[0]))


def _dirichlet(columns: Columns, _: Mapping[str, Any]) -> ExponentialFamily:
    from asymptopia.theory.projection.families import Dirichlet

    return Dirichlet(columns.values.shape[1])


def _loglinear(columns: Columns, options: Mapping[str, Any]) -> ExponentialFamily:
    from asymptopia.theory.projection.families.loglinear import LogLinear

    levels = [len(level) for level in columns.levels]
    return LogLinear(levels, **{"interactions": min(2, len(levels)), **options})


def _ising(columns: Columns, options: Mapping[str, Any]) -> ExponentialFamily:
    from asymptopia.theory.projection.families.ising import Ising

    _binary(columns, "ising")
    return Ising(columns.values.shape[1], **options)


def _bernoulli(columns: Columns, _: Mapping[str, Any]) -> ExponentialFamily:
    from asymptopia.theory.projection.families import Bernoulli

    _binary(columns, "bernoulli")
    return Bernoulli()


def _binary(columns: Columns, family: str) -> None:
    for name, levels in zip(columns.names, columns.levels, strict=True):
        if len(levels) != 2:
            message = f"column {name!r} has {len(levels)} levels; {family} takes columns of two: use loglinear"
            raise ValueError(message)


KINDS = {
    "mvn": Kind(False, 1, None, (), _mvn),
    "mvn-cov": Kind(False, 1, None, ("known_mean",), _mvn_cov),
    "normal": Kind(False, 1, 1, (), _scalar("Normal")),
    "gamma": Kind(False, 1, 1, ("known_shape",), _scalar("Gamma")),
    "exponential": Kind(False, 1, 1, (), _scalar("Exponential")),
    "inverse-gaussian": Kind(False, 1, 1, (), _scalar("InverseGaussian")),
    "poisson": Kind(False, 1, 1, (), _scalar("Poisson")),
    "negative-binomial": Kind(False, 1, 1, ("size",), _negative_binomial),
    "bernoulli": Kind(True, 1, 1, (), _bernoulli),
    "multinomial": Kind(True, 1, 1, (), _multinomial),
    "beta": Kind(False, 1, 1, (), _scalar("Beta")),
    "dirichlet": Kind(False, 2, None, (), _dirichlet),
    "loglinear": Kind(True, 1, None, ("interactions",), _loglinear),
    "ising": Kind(True, 1, None, ("edges",), _ising),
}
FAMILIES = tuple(KINDS)
"""Names of the families that are made of columns."""


def kind_of(name: str) -> Kind:
    """Return how the named family is made."""
    return KINDS[choice("family", name, FAMILIES)]


def check_options(names: tuple[str, ...], options: Mapping[str, Any]) -> None:
    """Raise TypeError unless each option is known to one of the named families."""
    known = sorted({option for name in names for option in kind_of(name).options})
    for option in options:
        if option not in known:
            message = (
                f"{option!r} is no option of {', '.join(names)}; "
                f"{'the options are ' + ', '.join(map(repr, known)) if known else 'there are none'}"
            )
            raise TypeError(message)


def make_family(name: str, columns: Columns, options: Mapping[str, Any]) -> ExponentialFamily:
    """Return the named family for the columns, with those of the options that it knows."""
    kind = kind_of(name)
    width = columns.values.shape[1]
    if width < kind.least or (kind.most is not None and width > kind.most):
        several = kind.least if kind.most == kind.least else f"at least {kind.least}"
        held = ", ".join(map(repr, columns.names))
        raise fail(f"the number of columns of {name}", width, f"{several}; choose with columns=... (here {held})")
    return kind.make(columns, {option: value for option, value in options.items() if option in kind.options})

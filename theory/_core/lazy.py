"""Lazy public names (PEP 562), so that importing a package loads none of its modules."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from importlib import import_module


def attach(
    package: str, modules: Mapping[str, Sequence[str]]
) -> tuple[Callable[[str], object], Callable[[], list[str]], list[str]]:
    """Return ``__getattr__``, ``__dir__`` and ``__all__`` of a package with lazy names.

    Parameters
    ----------
    package : str
        Name of the package, its ``__name__``.
    modules : mapping of str to sequence of str
        Submodule to the public names it provides. A submodule with no names is itself public.
    """
    owner = {name: module for module, names in modules.items() for name in names}
    public = sorted([*owner, *(module for module, names in modules.items() if not names)])

    def getattr_(name: str) -> object:
        if name in owner:
            return getattr(import_module(f"{package}.{owner[name]}"), name)
        if name in modules:
            return import_module(f"{package}.{name}")
        message = f"module {package!r} has no attribute {name!r}"
        raise AttributeError(message)

    return getattr_, lambda: list(public), public


def resolve(target: str) -> object:
    """Return the object named by ``"package.module:attribute"``.

    Raises
    ------
    ImportError, AttributeError
        If the module or the attribute does not exist.
    """
    module, _, attribute = target.partition(":")
    found: object = import_module(module)
    for part in filter(None, attribute.split(".")):
        found = getattr(found, part)
    return found

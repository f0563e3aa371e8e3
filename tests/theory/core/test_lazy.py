"""Lazy names and names in strings."""

import subprocess
import sys
import types

import pytest

from asymptopia.theory._core.lazy import attach, resolve


def package(monkeypatch, modules):
    module = types.ModuleType("lazy_example")
    leaf = types.ModuleType("lazy_example.leaf")
    leaf.answer = 42
    monkeypatch.setitem(sys.modules, "lazy_example", module)
    monkeypatch.setitem(sys.modules, "lazy_example.leaf", leaf)
    module.__getattr__, module.__dir__, module.__all__ = attach("lazy_example", modules)
    return module


def test_names_come_from_their_modules(monkeypatch):
    module = package(monkeypatch, {"leaf": ("answer",)})
    assert module.answer == 42
    assert module.leaf.answer == 42
    assert module.__all__ == ["answer"]
    assert dir(module) == ["answer"]
    with pytest.raises(AttributeError, match="module 'lazy_example' has no attribute 'question'"):
        _ = module.question


def test_modules_without_names_are_public(monkeypatch):
    module = package(monkeypatch, {"leaf": ()})
    assert module.__all__ == ["leaf"]
    assert module.leaf.answer == 42


def test_a_missing_name_is_an_error_when_used(monkeypatch):
    module = package(monkeypatch, {"leaf": ("missing",)})
    with pytest.raises(AttributeError):
        _ = module.missing


def test_resolve():
    assert resolve("math:pi") == pytest.approx(3.141592653589793)
    assert resolve("os:path.join") is __import__("os").path.join
    assert resolve("math") is __import__("math")
    with pytest.raises(ModuleNotFoundError):
        resolve("no_such_module_here:x")
    with pytest.raises(AttributeError):
        resolve("math:no_such_name")


def test_public_names_exist():
    import asymptopia
    from asymptopia import theory

    for name in theory.__all__:
        result = getattr(theory, name)
        for public in result.__all__:
            assert getattr(result, public) is not None, (name, public)
    assert dir(asymptopia) == ["__version__", "theory", "verify"]


def test_imports_stay_light():
    code = (
        "import sys, asymptopia, asymptopia.theory, asymptopia.theory.scorecard\n"
        "heavy = {'numba', 'sympy', 'mpmath', 'matplotlib', 'pandas', 'polars', 'scipy.stats', 'asymptopia.verify'}\n"
        "found = sorted(heavy & sys.modules.keys())\n"
        "assert not found, found\n"
        "asymptopia.verify\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_no_module_has_the_name_of_something_public():
    """Importing a submodule sets the attribute of its name, which would then hide the public one."""
    from importlib import import_module
    from pkgutil import walk_packages

    from asymptopia import theory

    found = [import_module(item.name) for item in walk_packages(theory.__path__, "asymptopia.theory.") if item.ispkg]
    assert len(found) >= 3
    for package in found:
        modules = {item.name for item in walk_packages(package.__path__)}
        lazy = set(getattr(package, "__all__", ()))
        if package.__name__ == "asymptopia.theory":
            continue  # its public names are the packages themselves
        assert not lazy & modules, f"{package.__name__}: {sorted(lazy & modules)}"

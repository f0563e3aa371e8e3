"""Compile generated source from a content-hashed file in the user's cache folder.

Numba's own cache sees neither an edited callee in another file nor a changed global, and leaves files in
site-packages that survive an uninstall. A unit is one self-contained source whose path is the hash of its text, so
that whatever can change the machine code changes the path.
"""

from __future__ import annotations

import atexit
import hashlib
import importlib.util
import logging
import os
import shutil
import sys
import tempfile
import threading
from functools import cache
from pathlib import Path
from types import ModuleType

logger = logging.getLogger(__name__)
_loaded: dict[str, ModuleType] = {}
_lock = threading.Lock()


def cache_dir() -> Path:
    """Return the folder of generated sources: ``ASYMPTOPIA_CACHE_DIR``, else the platform's cache folder."""
    if override := os.environ.get("ASYMPTOPIA_CACHE_DIR"):
        return Path(override)
    if sys.platform == "win32":
        base = Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    elif sys.platform == "darwin":
        base = Path.home() / "Library" / "Caches"
    else:
        base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return base / "asymptopia"


def load_unit(stem: str, source: str) -> ModuleType:
    """Return the module made of `source`; its numba cache lies beside it.

    Parameters
    ----------
    stem : str
        Readable part of the file name.
    source : str
        Self-contained Python source. Its hash and the version of numba are part of the path.
    """
    name = f"asymptopia_unit_{stem}_{_digest(source)}"
    with _lock:
        if name not in _loaded:
            path = _write(_place(stem, source), source)
            spec = importlib.util.spec_from_file_location(name, path)
            if spec is None or spec.loader is None:  # pragma: no cover - a .py path always has a loader
                message = f"cannot import {path}"
                raise ImportError(message)
            module = importlib.util.module_from_spec(spec)
            # numba pickles and re-imports by module name
            sys.modules[name] = module
            try:
                spec.loader.exec_module(module)
            except BaseException:
                del sys.modules[name]
                raise
            _loaded[name] = module
        return _loaded[name]


def awaits_compiling(stem: str, source: str, function: str) -> bool:
    """Return whether the cache can be written and lacks the machine code of `function` of a unit.

    Another process can then put it there for this one.
    """
    path = _write(_place(stem, source), source)
    if cache_dir() not in path.parents:
        return False
    return not any((path.parent / "__pycache__").glob(f"{stem}.{function}-*.nbi"))


def _digest(source: str) -> str:
    return hashlib.sha256(source.encode()).hexdigest()[:16]


def _place(stem: str, source: str) -> Path:
    import numba

    return Path(f"numba-{numba.__version__}") / _digest(source) / f"{stem}.py"


def _write(relative: Path, source: str) -> Path:
    """Write `source` atomically below the cache folder, or below a temporary one if that cannot be written."""
    try:
        return _write_below(cache_dir(), relative, source)
    except OSError as error:
        return _write_below(_temporary_cache(str(error)), relative, source)


@cache
def _temporary_cache(reason: str) -> Path:
    """Return the folder of this process where the user's cannot be written; the log says so once."""
    folder = Path(tempfile.mkdtemp(prefix="asymptopia-"))
    logger.warning("kernels are compiled anew in %s, for the cache cannot be written: %s", folder, reason)
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


def _write_below(base: Path, relative: Path, source: str) -> Path:
    path = base / relative
    if path.is_file() and path.read_text(encoding="utf-8") == source and os.access(path.parent, os.W_OK):
        return path
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=".unit-", suffix=".tmp")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as stream:
            stream.write(source)
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
    return path

"""Generated sources: the path is the hash, writing is atomic, a folder that cannot be written is no obstacle."""

import threading
from pathlib import Path

import pytest

from asymptopia.theory._core import units

SOURCE = "VALUE = {}\n\n\ndef double(x):\n    return 2 * x\n"


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("ASYMPTOPIA_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setattr(units, "_loaded", {})
    return tmp_path / "cache"


def files(folder):
    return sorted(path for path in folder.rglob("*") if path.is_file() and "__pycache__" not in path.parts)


def test_source_becomes_a_module(cache):
    module = units.load_unit("example", SOURCE.format(1))
    assert module.double(21) == 42
    (path,) = files(cache)
    assert path.name == "example.py"
    assert path.read_text(encoding="utf-8") == SOURCE.format(1)
    assert Path(module.__file__) == path
    assert units.load_unit("example", SOURCE.format(1)) is module


def test_another_source_has_another_path(cache):
    first, second = (units.load_unit("example", SOURCE.format(k)) for k in (2, 3))
    assert (first.VALUE, second.VALUE) == (2, 3)
    assert first.__file__ != second.__file__
    assert first.__name__ != second.__name__
    assert len(files(cache)) == 2


def test_path_names_the_compiler(cache):
    import numba

    module = units.load_unit("example", SOURCE.format(4))
    assert f"numba-{numba.__version__}" in Path(module.__file__).parts


def test_a_tampered_file_is_written_again(cache, monkeypatch):
    units.load_unit("example", SOURCE.format(5))
    (path,) = files(cache)
    path.write_text("VALUE = 'stale'\n", encoding="utf-8")
    monkeypatch.setattr(units, "_loaded", {})
    assert units.load_unit("example", SOURCE.format(5)).VALUE == 5
    assert path.read_text(encoding="utf-8") == SOURCE.format(5)


def test_a_folder_that_cannot_be_written(tmp_path, monkeypatch):
    # a file where the folder should be: holds for the superuser too, whom permissions do not stop
    (tmp_path / "blocked").write_text("", encoding="utf-8")
    monkeypatch.setenv("ASYMPTOPIA_CACHE_DIR", str(tmp_path / "blocked"))
    monkeypatch.setattr(units, "_loaded", {})
    module = units.load_unit("example", SOURCE.format(6))
    assert module.VALUE == 6
    assert tmp_path not in Path(module.__file__).parents


def test_an_interrupted_write_leaves_nothing(cache, monkeypatch):
    def interrupted(self, target):
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(Path, "replace", interrupted)
        with pytest.raises(KeyboardInterrupt):
            units.load_unit("example", SOURCE.format(7))
    assert files(cache) == []
    assert units.load_unit("example", SOURCE.format(7)).VALUE == 7


def test_readers_never_see_half_a_file(cache):
    source = "VALUE = 1\n" + "# filler\n" * 20000
    seen, stop = set(), threading.Event()
    target = cache / "unit.py"

    def read():
        while not stop.is_set():
            if target.exists():
                seen.add(len(target.read_text(encoding="utf-8")))

    reader = threading.Thread(target=read)
    reader.start()
    for k in range(50):
        units._write_below(cache, Path("unit.py"), source + "#" * (k % 2))
    stop.set()
    reader.join()
    assert seen <= {len(source), len(source) + 1}
    assert seen


def test_a_source_that_fails_is_not_kept(cache):
    import sys

    for _ in range(2):
        with pytest.raises(ZeroDivisionError):
            units.load_unit("divides_by_zero", "VALUE = 1 / 0\n")
    assert not [name for name in sys.modules if name.startswith("asymptopia_unit_divides_by_zero")]


def test_threads_share_one_module(cache):
    found = []
    threads = [
        threading.Thread(target=lambda: found.append(units.load_unit("many", SOURCE.format(8)))) for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 8
    assert all(module is found[0] for module in found)


@pytest.mark.parametrize(
    ("platform", "variable", "tail"),
    [
        ("linux", "XDG_CACHE_HOME", ("asymptopia",)),
        ("darwin", "HOME", ("Library", "Caches", "asymptopia")),
        ("win32", "LOCALAPPDATA", ("asymptopia",)),
    ],
)
def test_platform_folders(tmp_path, monkeypatch, platform, variable, tail):
    monkeypatch.delenv("ASYMPTOPIA_CACHE_DIR", raising=False)
    monkeypatch.setattr(units.sys, "platform", platform)
    monkeypatch.setenv(variable, str(tmp_path))
    assert units.cache_dir() == tmp_path.joinpath(*tail)
    monkeypatch.setenv("ASYMPTOPIA_CACHE_DIR", str(tmp_path / "mine"))
    assert units.cache_dir() == tmp_path / "mine"

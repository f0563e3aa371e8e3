"""A headless browser for tests that look at pages: finds one, takes a screenshot, reads its pixels."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
    "--virtual-time-budget=8000",
)
SCHEMES = {"dark": 0, "light": 1}
needs_browser = pytest.mark.skipif(BROWSER is None, reason="no headless browser: chromium is not installed")


def screenshot(page: Path | str, out: Path, *, size: tuple[int, int] = (1300, 1400), scheme: str = "light") -> Path:
    """Return `out` with a picture of the page, a file or an address; skip the test where there is no browser."""
    if BROWSER is None:
        pytest.skip("no headless browser: chromium is not installed")
    profile = out.with_suffix(".profile")
    command = [
        BROWSER,
        *FLAGS,
        f"--user-data-dir={profile}",
        f"--window-size={size[0]},{size[1]}",
        f"--blink-settings=preferredColorScheme={SCHEMES[scheme]}",
        f"--screenshot={out}",
        page.resolve().as_uri() if isinstance(page, Path) else page,
    ]
    done = subprocess.run(command, capture_output=True, timeout=120, check=False)
    shutil.rmtree(profile, ignore_errors=True)
    assert done.returncode == 0, done.stderr.decode(errors="replace")
    assert out.exists(), done.stderr.decode(errors="replace")
    return out


def pixels(png: Path) -> NDArray[np.uint8]:
    """Return the picture as an array of rows, columns and red, green, blue."""
    from matplotlib.image import imread

    return np.asarray(np.round(255.0 * imread(png)[..., :3]), dtype=np.uint8)


def colours(picture: NDArray[np.uint8]) -> dict[tuple[int, ...], float]:
    """Return the colours of a picture with the share of the pixels that has each, the largest first."""
    # one number a pixel: rows of three would be sorted ten times slower
    codes = picture.astype(np.uint32) @ np.array([1 << 16, 1 << 8, 1], dtype=np.uint32)
    found, counts = np.unique(codes, return_counts=True)
    order = np.argsort(-counts, kind="stable")
    return {tuple(int(found[i]).to_bytes(3, "big")): float(counts[i] / codes.size) for i in order}

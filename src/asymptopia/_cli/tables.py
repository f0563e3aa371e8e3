"""Reading the tables that a command is given: CSV files, or data sets that an installed dependency ships."""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from typing import Any

from asymptopia._cli import UserError


@dataclass(frozen=True, slots=True, kw_only=True)
class Dataset:
    """A bundled data set and the question it is asked by default."""

    module: str
    target: str
    event: str
    split: str
    about: str


DATASETS = {
    "fair": Dataset(
        module="statsmodels.datasets.fair",
        target="affairs",
        event="> 0",
        split="rate_marriage <= 3",
        about="6366 answers to a magazine's survey of married women (Fair 1978), shipped by statsmodels",
    )
}


def add_dataset_option(parser: argparse.ArgumentParser) -> None:
    """Add ``--dataset``."""
    about = "; ".join(f"{name}: {entry.about}" for name, entry in DATASETS.items())
    parser.add_argument(
        "--dataset", choices=sorted(DATASETS), help=f"use a bundled data set instead of files ({about})"
    )


def load_dataset(name: str) -> Any:
    """Return the data frame of a bundled data set."""
    from importlib import import_module

    return import_module(DATASETS[name].module).load_pandas().data


def read_csv(path: str) -> Any:
    """Return the data frame of a CSV file with a header.

    Raises
    ------
    UserError
        If the file is missing, unreadable, empty, not text or malformed.
    """
    import pandas as pd

    try:
        frame = pd.read_csv(path)
    except FileNotFoundError:
        message = f"no file {path}"
        raise UserError(message) from None
    except pd.errors.EmptyDataError:
        message = f"{path} is empty; expected a header and rows"
        raise UserError(message) from None
    except pd.errors.ParserError as error:
        message = f"{path} is malformed: {str(error).strip()}"
        raise UserError(message) from None
    except UnicodeDecodeError as error:
        message = f"{path} is not UTF-8 text (byte {error.start})"
        raise UserError(message) from None
    except OSError as error:
        message = f"cannot read {path}: {error.strerror}"
        raise UserError(message) from None
    if frame.empty:
        message = f"{path} has a header but no rows"
        raise UserError(message)
    return frame

"""The base of every status enum: a member carries the sentence that a user reads."""

from __future__ import annotations

from enum import Enum


class Status(Enum):
    """Outcome of a computation. Each result derives its own members; the value is the sentence shown.

    Examples
    --------
    >>> class RootStatus(Status):
    ...     OK = "The root was found."
    ...     NO_ROOT = "The bracket holds no root: widen it."
    >>> RootStatus.NO_ROOT.ok, RootStatus.NO_ROOT.message
    (False, 'The bracket holds no root: widen it.')
    """

    @property
    def message(self) -> str:
        """Sentence that says what the status means and what to do about it."""
        return str(self.value)

    @property
    def ok(self) -> bool:
        """True if the result lies within the validity of its theory."""
        return self.name == "OK"

    def __str__(self) -> str:
        return self.name if self.ok else f"{self.name}: {self.message}"

"""The one family of errors: what was expected, what came, what to do."""

from __future__ import annotations

from collections.abc import Iterable


class PipeforecastError(Exception):
    """Base of every error that a user can cause and mend; ``exit_status`` is what the command returns."""

    exit_status = 1


class SettingsError(PipeforecastError, ValueError):
    """The call or its settings are wrong."""

    exit_status = 2


class DataError(PipeforecastError, ValueError):
    """The data cannot be used as it is."""


class MissingFileError(DataError, FileNotFoundError):
    """A file that the mapping names is not there."""


def shortened(text: str, longest: int = 200) -> str:
    """Cut a text that came from outside, so that an error stays readable."""
    return text if len(text) <= longest else f"{text[: longest - 1]}…"


def some(values: Iterable[object], most: int = 5) -> str:
    """List at most ``most`` values, so that an error stays one or two lines whatever came."""
    items = list(values)
    shown = ", ".join(repr(shortened(str(v))) for v in items[:most])
    return shown + (f" and {len(items) - most} more" if len(items) > most else "")

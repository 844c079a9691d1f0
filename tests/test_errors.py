"""One family of errors, whose children are builtin errors too and whose lists stay short."""

from __future__ import annotations

import pytest

from pipeforecast.errors import DataError, MissingFileError, PipeforecastError, SettingsError, some


@pytest.mark.parametrize(
    ("error", "builtin", "status"),
    [(SettingsError, ValueError, 2), (DataError, ValueError, 1), (MissingFileError, FileNotFoundError, 1)],
)
def test_every_error_is_of_the_family_and_a_builtin(error: type, builtin: type, status: int) -> None:
    assert issubclass(error, PipeforecastError)
    assert issubclass(error, builtin)
    assert error.exit_status == status


def test_some_shows_few_and_counts_the_rest() -> None:
    assert some(["a", "b"]) == "'a', 'b'"
    assert some(range(10), 2) == "'0', '1' and 8 more"
    assert some([]) == ""
    assert len(some(range(10_000))) < 60

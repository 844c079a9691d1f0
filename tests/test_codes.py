"""The registry of codes and the code itself say the same, and the page says what the registry does."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeforecast.codes import CODES, REFUSALS
from pipeforecast.codes.page import page

ROOT = Path(__file__).parents[1]
SOURCES = [p for p in (ROOT / "src" / "pipeforecast").rglob("*.py") if p.parent.name != "codes"]


def literals() -> Iterator[tuple[str, str | None]]:
    """Every string that looks like a code, with the severity that stands beside it, where that is a string too."""
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            values = node.args if isinstance(node, ast.Call) else node.elts if isinstance(node, ast.Tuple) else [node]
            for i, value in enumerate(values):
                if _is_code(value):
                    after = values[i + 1] if i + 1 < len(values) else None
                    severity = after.value if isinstance(after, ast.Constant) else None
                    yield value.value, severity if severity in ("error", "warning", "info") else None


def _is_code(node: ast.AST) -> bool:
    return (
        isinstance(node, ast.Constant) and isinstance(node.value, str) and "-" in node.value
        and all(w.isalpha() and w.isupper() for w in node.value.split("-")) and node.value != "UTF-"
    )  # fmt: skip


FOUND = list(literals())
#: Codes without a hyphen are found by no pattern.
WITHOUT_HYPHEN = {"UNCONTACTED"}
OTHER = {"YYYY-MM-DD", "N-A", "CRM-NAME"}


def test_every_code_is_declared_and_every_declared_code_is_used() -> None:
    used = {code for code, _ in FOUND} - OTHER
    assert used == set(CODES) - WITHOUT_HYPHEN


@pytest.mark.parametrize(("code", "severity"), sorted({(c, s) for c, s in FOUND if s is not None}))
def test_severities_are_those_declared(code: str, severity: str) -> None:
    assert severity in CODES[code].severity.split(" or ")


def test_every_code_says_what_it_means_and_what_to_do() -> None:
    for code in CODES.values():
        assert code.means, code
        assert code.repair or code.advice, code
        assert set(code.severity.split(" or ")) <= {"error", "warning", "info"}, code
    assert all(r.defect and r.says and r.advice for r in REFUSALS)


def test_the_page_is_made_from_the_declarations() -> None:
    assert (ROOT / "docs" / "findings.md").read_text(encoding="utf-8") == page()

"""Bring the files of texts up to date with the code: ``python -m pipeforecast.wording.gather``.

Texts that the code says anew come into each file without a translation, those that it no longer says go; a test fails
until each is translated. Which files were changed is printed.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from string import ascii_lowercase

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract
from babel.messages.pofile import read_po, write_po

from pipeforecast.wording import LANGUAGES
from pipeforecast.wording.catalogue import plural_forms

ROOM = Path(__file__).parent
KEYWORDS = {
    "t": None, "noop": None, "pieces": None, "nt": (1, 2), "plural": (1, 2), "count": (2, 3), "pt": ((1, "c"), 2),
    "pnoop": ((1, "c"), 2), "nnoop": (1, 2), "Metric": (3,),
}  # fmt: skip
#: A file of code speaks if it asks this room, declares metrics (their formulas are said) or makes findings.
_MARKS = ("from pipeforecast.wording import", "import Metric\n", "Finding(")
#: Who makes a finding, and the place of what was done among the arguments; what to do follows it.
_FINDERS = {"Finding": 6, "_deals": 5, "note": 4, "_note_lookup": 4}
#: What is put in, and signs that say nothing: a text of them alone would be found in any other.
_FIXED = re.compile(r"\{\w*\}|\W")
_LEAST_FIXED = 5
_METHODS = {".py": "python", ".js": "javascript", ".html": "jinja2.ext:babel_extract"}


def gathered(root: Path = ROOM.parent) -> Catalog:
    """Give every text that the code says, with the files in which it stands."""
    catalog = Catalog()
    for path in _sources(root):
        with path.open("rb") as file:
            where = path.relative_to(root).as_posix()
            # The template language's own way of marking texts is not used; it has to be switched on to be read at all.
            options = {"trimmed": "true", "silent": "false", "trim_blocks": "true", "lstrip_blocks": "true"}
            for _, message, _, context in extract(_METHODS[path.suffix], file, KEYWORDS, options=options):
                catalog.add(message, locations=[(where, None)], context=context)  # type: ignore[list-item]
        if path.suffix == ".py":
            for text in _of_findings(path.read_text(encoding="utf-8")):
                catalog.add(text, locations=[(where, None)], context="finding")  # type: ignore[list-item]
    return catalog


def _of_findings(code: str) -> Iterator[str]:
    """Give what findings say was done and can be done, from where they are made: they go to files in English first.

    What is put in has no name there: it is called a, b, c in its order.
    """
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in _FINDERS:
            first = _FINDERS[node.func.id]
            named = [k.value for k in node.keywords if k.arg in ("repair", "advice")]
            for argument in (*node.args[first : first + 2], *named):
                yield from (text for text in _texts(argument) if len(_FIXED.sub("", text)) >= _LEAST_FIXED)


def _texts(node: ast.expr) -> Iterator[str]:
    if isinstance(node, ast.IfExp):
        yield from (text for branch in (node.body, node.orelse) for text in _texts(branch))
    elif isinstance(node, ast.BinOp):
        yield from _texts(node.left)
    elif isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    elif isinstance(node, ast.JoinedStr):
        names = iter(ascii_lowercase)
        yield "".join(
            str(x.value) if isinstance(x, ast.Constant) else "{" + next(names) + "}" for x in node.values
        )  # fmt: skip


def _sources(root: Path) -> Iterator[Path]:
    for path in sorted(root.rglob("*")):
        if path.suffix not in _METHODS or path.parent == ROOM:
            continue
        if path.suffix != ".py" or any(mark in path.read_text(encoding="utf-8") for mark in _MARKS):
            yield path


def file_of(language: str) -> Path:
    """Give the file of a language's texts."""
    return ROOM / "texts" / f"{language}.po"


def updated(language: str, texts: Catalog) -> bytes:
    """Give a language's file anew: every text of the code, with the translation that it has."""
    path = file_of(language)
    old = read_po(path.open("rb"), locale=language) if path.exists() else Catalog(locale=language)
    new = Catalog(locale=language, project="pipeforecast", header_comment=_HEADER, fuzzy=False)
    if len(plural_forms(language)) == 1:
        # Babel knows no forms of some languages and would ask for two.
        new.mime_headers = [("Plural-Forms", "nplurals=1; plural=0;")]
    for message in texts:
        if message.id:
            known = old.get(message.id, context=message.context)
            string = known.string if known else None
            if message.pluralizable and isinstance(string, str):
                string = None  # it had one form so far
            elif isinstance(string, tuple | list):
                string = tuple(string)[: new.num_plurals]
            new.add(message.id, string, locations=message.locations, context=message.context)
    out = BytesIO()
    write_po(out, new, width=0, sort_by_file=True, omit_header=False)
    # The day on which a file was made would change it every time.
    lines = [
        x for x in out.getvalue().split(b"\n") if not x.startswith((b'"POT-Creation', b'"PO-Revision', b'"Last-Tr'))
    ]
    return b"\n".join(lines)


def _forms(message: Message) -> tuple[str, ...]:
    return tuple(message.string) if isinstance(message.string, tuple | list) else (str(message.string or ""),)


_HEADER = "# Texts of the report. A name in braces is put in by the code: keep it as it is."


def main() -> None:
    """Write the files that are not up to date."""
    texts = gathered()
    for language in LANGUAGES[1:]:
        path, new = file_of(language), updated(language, texts)
        if not path.exists() or path.read_bytes() != new:
            path.write_bytes(new)
            missing = [m for m in read_po(BytesIO(new)) if m.id and not all(_forms(m))]
            sys.stdout.write(f"{path.name}: {len(missing)} of {len(texts)} texts have no translation\n")


if __name__ == "__main__":
    main()

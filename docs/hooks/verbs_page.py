"""The page about verbs, made from what ``pipeforecast VERB --help`` says."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from pipeforecast import manual

_HEAD = """# Verbs

`pipeforecast VERB key=value …`. This page is made from the program's own help (`pipeforecast VERB --help`); the
[settings](settings.md) lists every key with its kind and default.
"""


def page() -> str:
    """Give the page as Markdown."""
    return "\n".join(_lines()) + "\n"


def _lines() -> Iterator[str]:
    yield _HEAD
    yield from table(("flag", "does"), {f"`{k}`": v for k, v in manual.FLAGS.items()})
    yield f"\n{manual.CONFIGS} {manual.STATUS}\n"
    groups = manual.choices_of_groups()
    for verb, told in manual.PAGES.items():
        yield f"## {verb}\n\n{told.does[0].upper()}{told.does[1:]}.\n\n```sh\n{told.example}\n```\n"
        yield from table(("setting", "is"), {f"`{k}`": v for k, v in told.overrides.items()})
        files = {group: names for group, names in groups.items() if f"{group}=NAME" in told.overrides}
        if files:
            yield "\nChoices that ship:\n"
            yield from (f"- `{group}=` {', '.join(f'`{n}`' for n in names)}" for group, names in files.items())
        yield f"\nWrites into `out`: {', '.join(f'`{f}`' for f in told.writes)}.\n"


def table(head: tuple[str, ...], rows: Mapping[str, str]) -> Iterator[str]:
    """Give the lines of a table of two columns."""
    yield f"| {' | '.join(head)} |"
    yield "|---" * len(head) + "|"
    yield from (f"| {cell(name)} | {cell(text)} |" for name, text in rows.items())


def cell(text: str) -> str:
    """Give a text that breaks no table."""
    return text.replace("|", "\\|")

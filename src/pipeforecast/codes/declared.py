"""What is declared of a finding's code."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Code:
    """A code of findings; other programs may rely on its name.

    Parameters
    ----------
    code : str
    severity : str
        ``error``, ``warning`` or ``info``; two of them with ``or`` where it depends on the data.
    means : str
        What was seen.
    repair : str
        What is done about it here; empty if nothing.
    advice : str
        What the user can do.
    """

    code: str
    severity: str
    means: str
    repair: str = ""
    advice: str = ""


def declared(rows: str) -> tuple[Code, ...]:
    """Read ``CODE | severity | means | repair | advice`` lines; a line that begins with a blank goes on."""
    lines: list[str] = []
    for line in rows.strip().splitlines():
        if line.startswith(" "):
            lines[-1] += " " + line.strip()
        else:
            lines.append(line)
    return tuple(Code(*(part.strip() for part in line.split(" | "))) for line in lines)

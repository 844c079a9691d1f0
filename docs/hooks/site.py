"""What the site adds to the pages that are written: reference pages, experiments, and no request that leaves.

mkdocs calls the functions below while it builds. Pages made here are never files, so that they cannot drift.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import settings_page
import verbs_page
from mkdocs.exceptions import PluginError
from mkdocs.structure.files import File, Files
from offline import fetched

ROOT = Path(__file__).parents[2]
MADE = {"reference/settings.md": settings_page.page, "reference/verbs.md": verbs_page.page}
_EVIDENCE = """# Evidence

What is said of how good something is was measured by a command of the repository. Each page has the question, the
command, its table and what was decided; `run.py --small` runs before every merge.
"""


def on_files(files: Files, config: Any) -> Files:
    """Add the reference pages and every experiment's README with its pictures."""
    for uri, page in MADE.items():
        files.append(File.generated(config, uri, content=page()))
    readmes = sorted((ROOT / "experiments").glob("*/README.md"))
    files.append(File.generated(config, "experiments/index.md", content=evidence(readmes)))
    for readme in readmes:
        for path in [readme, *sorted(readme.parent.glob("*.png"))]:
            files.append(File.generated(config, path.relative_to(ROOT).as_posix(), abs_src_path=str(path)))
    return files


def evidence(readmes: list[Path]) -> str:
    """List the experiments by their titles."""
    titles = {r: r.read_text(encoding="utf-8").splitlines()[0].lstrip("# ") for r in readmes}
    rows = [f"- [{title}]({readme.parent.name}/README.md)" for readme, title in titles.items()]
    return "\n".join([_EVIDENCE, *rows]) + "\n"


def on_page_markdown(markdown: str, page: Any, config: Any, files: Files) -> str:
    """Let links that work in the checkout work in the site, where experiments lie among the pages."""
    up = "../" * page.file.src_uri.count("/")
    return re.sub(
        rf"\]\({re.escape(up)}\.\./(experiments/\w+)/?(?:README\.md)?([)#])", rf"]({up}\1/README.md\2", markdown
    )


def on_post_build(config: Any) -> None:
    """Refuse a site that fetches anything from elsewhere."""
    for path in sorted(Path(config["site_dir"]).rglob("*")):
        if path.suffix in (".html", ".css"):
            found = fetched(path.read_text(encoding="utf-8"), path.suffix)
            if found:
                raise PluginError(f"{path}: expected a page that fetches nothing from elsewhere, came {found[0]}")

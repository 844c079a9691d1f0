"""How long the whole catalogue takes; see README.md. --small: a small company, to see that it runs."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).parent


def main() -> None:
    small = "--small" in sys.argv[1:]
    with tempfile.TemporaryDirectory() as folder:
        words = ["--deals", "2000", "--leads", "10000", "--quarters", "4", "--out", folder] if small else []
        subprocess.run([sys.executable, str(HERE / "speed.py"), *words], check=True, cwd=HERE)


if __name__ == "__main__":
    main()

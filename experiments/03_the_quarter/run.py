"""The quarter: every part of this experiment, one after the other. ``--small`` shows that all of them work."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

PARTS = ("shocks", "limits", "coverage", "level", "hotel", "speed")

for part in PARTS:
    if part == "hotel" and "--small" in sys.argv:
        continue  # a minute of reading that the first experiment does too
    print(f"== {part}", flush=True)
    subprocess.run([sys.executable, str(Path(__file__).parent / f"{part}.py"), *sys.argv[1:]], check=True)

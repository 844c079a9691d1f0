"""Leads: every part of this experiment, one after the other. ``--small`` shows that all of them work."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

#: Part to what makes it small.
PARTS = {
    "bank": ["--blocks", "8", "--untested", "3", "--every", "8"],
    "demo": ["--deals", "400", "--leads", "1500"],
    "immature": ["--deals", "400", "--seeds", "0"],
    "speed": ["--leads", "3000", "--scored", "20000"],
    "card": ["--small"],
    "thresholds": ["--small"],
}

for part, small in PARTS.items():
    print(f"== {part}", flush=True)
    told = small if "--small" in sys.argv else []
    subprocess.run([sys.executable, str(Path(__file__).parent / f"{part}.py"), *told], check=True)

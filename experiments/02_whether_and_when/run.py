"""Whether and when: every part of this experiment, one after the other. ``--small`` shows that all of them work."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

PARTS = ("candidates", "limits", "calibration", "few_deals", "close_dates", "amounts", "rivals", "speed")

for part in PARTS:
    print(f"== {part}", flush=True)
    subprocess.run([sys.executable, str(Path(__file__).parent / f"{part}.py"), *sys.argv[1:]], check=True)

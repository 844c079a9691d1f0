"""Ask for known vulnerabilities of every pinned dependency; fails where there are any, and says what was not asked."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

_CALL = ("-r", "constraints.txt", "--no-deps", "--disable-pip", "--progress-spinner", "off", "-f", "json")


def main() -> int:
    """Run pip-audit; the exit status is 1 where a dependency is known to be vulnerable."""
    program = Path(sys.executable).with_name("pip-audit")
    try:
        done = subprocess.run([program, *_CALL], capture_output=True, text=True, check=False, timeout=300)  # noqa: S603
        told = json.loads(done.stdout)["dependencies"]
    except (OSError, subprocess.TimeoutExpired, ValueError, KeyError) as error:
        said = f"{type(error).__name__}: {error}"[:200]
        return _say(f"pip-audit could not be run or reached no database: NOTHING was audited ({said})")
    unasked = [d["name"] for d in told if "skip_reason" in d]
    found = [(d["name"], d["version"], v["id"], v["fix_versions"]) for d in told for v in d.get("vulns", [])]
    for name, version, known, fixed in found:
        _say(f"{name} {version}: {known}, mended in {', '.join(fixed) or 'no version yet'}")
    _say(f"{len(told) - len(unasked)} of {len(told)} dependencies audited, {len(found)} vulnerabilities known")
    if unasked:
        _say(f"NOT audited, because the database did not answer for them: {len(unasked)}, such as {unasked[0]}")
    return int(bool(found))


def _say(text: str) -> int:
    sys.stdout.write(f"{text}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())

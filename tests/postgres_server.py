"""A PostgreSQL server of our own on a temporary folder and a Unix socket; Debian's package is enough."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

#: Planted as the password: it may be nowhere but in the address itself.
PASSWORD = "Qx7markerpw"  # noqa: S105


def programs() -> Path | None:
    """Where ``initdb`` and ``pg_ctl`` are, if they are here."""
    found = shutil.which("initdb")
    places = [Path(found).parent] if found else sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    return next((p for p in places if (p / "initdb").exists() and (p / "pg_ctl").exists()), None)


@contextmanager
def server() -> Iterator[str]:
    """Start a server and give the address of its empty database; it wants a password and is gone afterwards."""
    bin_ = programs()
    assert bin_ is not None
    user = "nobody" if os.geteuid() == 0 else None  # the server refuses to run as root
    root = Path(tempfile.mkdtemp(prefix="pg", dir="/tmp"))  # a socket's path has to be short

    def run(*words: str) -> None:
        subprocess.run(words, check=True, user=user, cwd=root, capture_output=True, env={"PATH": os.environ["PATH"]})

    try:
        (root / "pw").write_text(PASSWORD)
        if user is not None:
            who = pwd.getpwnam(user)
            for path in (root, root / "pw"):
                os.chown(path, who.pw_uid, who.pw_gid)
        run(str(bin_ / "initdb"), "-D", f"{root}/data", "-U", "ann", "--pwfile", f"{root}/pw", "-A", "scram-sha-256",
            "-E", "UTF8", "--no-sync", "--no-locale")  # fmt: skip
        options = f"-c listen_addresses='' -c unix_socket_directories={root} -c fsync=off"
        run(str(bin_ / "pg_ctl"), "-D", f"{root}/data", "-w", "-l", f"{root}/log", "-o", options, "start")
        try:
            yield f"postgres://ann:{PASSWORD}@/postgres?host={root}"
        finally:
            run(str(bin_ / "pg_ctl"), "-D", f"{root}/data", "-m", "immediate", "stop")
    finally:
        shutil.rmtree(root, ignore_errors=True)

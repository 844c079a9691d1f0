"""What made a result: the program's own source, the libraries, the machine. A run made again is set beside it."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from pipeforecast import __version__
from pipeforecast.fingerprint import fingerprint_of_files

#: Libraries whose arithmetic or reading the numbers rest on.
LIBRARIES = (
    "numpy", "scipy", "pandas", "scikit-learn", "statsmodels", "duckdb", "ibis-framework", "pyarrow", "joblib",
    "lightgbm", "optuna", "python-calamine", "mlflow", "hydra-core", "pydantic", "pyspark",
)  # fmt: skip
#: Variables that set how many threads add up: sums in another order may end in another last digit.
_THREADS = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")
_HOME = Path(__file__).parent


@cache
def source_fingerprint() -> str:
    """Give the fingerprint (64 hex digits) of every Python file of this package as it is installed."""
    return fingerprint_of_files(_HOME, [str(p.relative_to(_HOME)) for p in _HOME.rglob("*.py")])


def code() -> dict[str, str]:
    """Say which code this is: its version and source, and its commit where it is read from a checkout.

    ``dirty`` is ``yes`` where files of the checkout differ from the commit, else ``no``; both are empty in an
    installed wheel.
    """
    commit = _git("rev-parse", "HEAD") if _git("ls-files", "--", "__init__.py") else ""
    changed = _git("status", "--porcelain", "--untracked-files=no") if commit else ""
    return {
        "version": __version__, "source": source_fingerprint(), "commit": commit,
        "dirty": ("yes" if changed else "no") if commit else "",
    }  # fmt: skip


@cache
def libraries() -> dict[str, str]:
    """Give the versions of Python and of the libraries that are installed."""
    found = {"python": platform.python_version()}
    for name in LIBRARIES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def machine() -> dict[str, str]:
    """Say what the last digits of a sum may depend on: system, processor, linear algebra and its threads."""
    import scipy.linalg  # noqa: F401  so that all linear algebra is there to be seen, whoever asks
    from threadpoolctl import threadpool_info

    found = {"system": f"{sys.platform} {platform.machine()}", "libc": " ".join(platform.libc_ver())}
    pools = [pool for pool in threadpool_info() if pool.get("user_api") == "blas"]
    parts = ("internal_api", "version", "architecture")
    found["blas"] = ", ".join(sorted({" ".join(str(pool[p]) for p in parts if pool.get(p)) for pool in pools}))
    found["threads"] = " ".join(f"{n}={os.environ[n]}" for n in _THREADS if n in os.environ) or "not set"
    found["blas threads"] = str(max((pool["num_threads"] for pool in pools), default=1))
    return found


@contextmanager
def threads_of(then: Mapping[str, str]) -> Iterator[None]:
    """Add up with the threads of an earlier run, here and in processes that are started from here.

    Parameters
    ----------
    then : mapping of str to str
        What ``machine`` said of that run; where it says nothing of threads, they stay as they are.
    """
    import sklearn.utils.parallel  # noqa: F401  so that its threads are there to be limited
    from threadpoolctl import threadpool_limits

    before = {name: os.environ[name] for name in _THREADS if name in os.environ}
    named = dict(part.split("=", 1) for part in then.get("threads", "").split() if "=" in part)
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    blas = then.get("blas threads") or named.get("OPENBLAS_NUM_THREADS") or named.get("OMP_NUM_THREADS") or str(cores)
    limits = {"blas": blas, "openmp": named.get("OMP_NUM_THREADS", str(cores))}
    told = {api: int(n) for api, n in limits.items() if n.isdecimal() and int(n) > 0} if "threads" in then else {}
    try:
        if "threads" in then:
            _put(named)
        with threadpool_limits(told):
            yield
    finally:
        _put(before)


def _put(named: Mapping[str, str]) -> None:
    for name in _THREADS:
        os.environ.pop(name, None)
    os.environ.update({name: value for name, value in named.items() if name in _THREADS})


def _git(*words: str) -> str:
    """Ask git about this package; empty where there is no git, or the package is in no checkout."""
    program = shutil.which("git")
    if program is None:
        return ""
    # A hook of whoever owns the checkout must not run because a forecast was recorded.
    call = [program, "-c", "core.fsmonitor=false", "-C", str(_HOME), *words]
    try:
        done = subprocess.run(call, capture_output=True, text=True, check=False, timeout=20)  # noqa: S603  own words
    except (OSError, subprocess.SubprocessError):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""

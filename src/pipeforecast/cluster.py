"""Where past days are replayed and folds are refitted: in processes of this machine, or on a Dask cluster.

They are joblib's tasks, and joblib is told where they go: no room that makes tasks knows of a cluster.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from pipeforecast.errors import SettingsError

_PATIENCE = "10s"


@contextmanager
def on_cluster(address: str | None) -> Iterator[None]:
    """Let joblib's tasks run on the workers of the Dask scheduler at ``address``; None: as they say themselves.

    Raises
    ------
    SettingsError
        If Dask is not installed, or no scheduler answers there.
    """
    if address is None:
        yield
        return
    try:
        from distributed import Client
    except ImportError:
        raise SettingsError("origins.cluster: Dask is not here; install pipeforecast[dask]") from None
    from joblib import parallel_config

    try:
        client = Client(address, timeout=_PATIENCE)
    except (OSError, ValueError) as error:
        said = (str(error).splitlines() or [type(error).__name__])[0][:200]
        raise SettingsError(
            f"origins.cluster: expected a Dask scheduler at {address}, came none ({said}); start one (dask scheduler)"
        ) from None
    with client, parallel_config(backend="dask"):
        yield

"""The closed registry of metrics, assembled from the modules that declare them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from pipeforecast.errors import SettingsError, some
from pipeforecast.guess import nearest
from pipeforecast.metrics import (
    accounts,
    calls,
    credit,
    customers,
    deals,
    four_vs,
    leads,
    marketing,
    pipeline,
    rates,
    sizes,
    sources,
    speed,
    stages,
    touches,
)
from pipeforecast.metrics.declared import Metric

#: Each module has a tuple ``METRICS``; another module is one more entry here.
_MODULES = (
    pipeline, deals, rates, stages, sizes, sources, calls, four_vs, leads, touches, speed, accounts, marketing, credit,
    customers,
)  # fmt: skip

CATALOGUE: dict[str, Metric] = {m.name: m for module in _MODULES for m in module.METRICS}


def metrics_named(names: Iterable[str] = (), setting: str = "metrics") -> Sequence[Metric]:
    """Give the metrics of these names, or all of them; ``setting`` is who named them.

    Raises
    ------
    SettingsError
        If there is no such metric.
    """
    wanted = list(names)
    for name in wanted:
        if name not in CATALOGUE:
            raise SettingsError(
                f"{setting}: expected names of the catalogue ({some(CATALOGUE)}), "
                f"came {name!r}{nearest(name, CATALOGUE)}"
            )
    return [CATALOGUE[name] for name in wanted] if wanted else list(CATALOGUE.values())

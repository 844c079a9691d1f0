"""A fitted deal model on disk: chances and amounts, never the deals that taught them, and never a pickle.

Our own classes are written as plain fields under their full name and made again by their constructor; the rest
(arrays, scikit-learn's estimators) is skops'. Loading makes nothing that is not named here.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, fields, is_dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import pandas as pd

from pipeforecast.errors import DataError, some
from pipeforecast.models.amount import FittedAmounts
from pipeforecast.models.bagged import BaggedChances
from pipeforecast.models.deals import FittedDeals

MODEL_FILE, ABOUT_FILE = "model.skops", "about.json"
#: Our own classes that a model may consist of.
OURS = (
    "pipeforecast.fiscal.FiscalCalendar",
    "pipeforecast.models.amount.FittedAmounts",
    "pipeforecast.models.bagged.BaggedChances",
    "pipeforecast.models.blend.Pool",
    "pipeforecast.models.boosted.BoostedChances",
    "pipeforecast.models.classical.CoxChances",
    "pipeforecast.models.classical.Curve",
    "pipeforecast.models.classical.Proportional",
    "pipeforecast.models.classical.StageCurves",
    "pipeforecast.models.deals.FittedDeals",
    "pipeforecast.models.design.DealDesign",
    "pipeforecast.models.direct.DirectChances",
    "pipeforecast.models.hazard.HazardChances",
    "pipeforecast.models.multinomial.Multinomial",
    "pipeforecast.models.prior.Prior",
    "pipeforecast.models.prior.PriorChances",
    "pipeforecast.models.recalibrated.Decision",
    "pipeforecast.models.recalibrated.Odds",
    "pipeforecast.models.recalibrated.RecalibratedChances",
    "pipeforecast.models.stages.StageChances",
    "pipeforecast.models.tree_columns.TreeColumns",
    "pipeforecast.models.typical.FittedTypical",
)
#: What else a model may consist of, beside what skops itself trusts: boosted trees and their check of the input.
THEIRS = (
    "functools.partial",
    "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",
    "sklearn.utils.validation.check_array",
)
_CLASS, _DAY = "(class)", "(day)"


class SavedModelError(DataError):
    """A model cannot be written, or what was written cannot be trusted or read."""


@dataclass(frozen=True)
class SavedModel:
    """What is read back.

    Attributes
    ----------
    deals : FittedDeals
    amounts : FittedAmounts
    about : mapping
        What was said of it when it was saved: plain values.
    """

    deals: FittedDeals
    amounts: FittedAmounts
    about: Mapping[str, Any]


def save(folder: Path, deals: FittedDeals, amounts: FittedAmounts, about: Mapping[str, Any]) -> None:
    """Write a fitted deal model into ``folder``, which is made where it is missing.

    Raises
    ------
    SavedModelError
        If it holds something that loading would refuse.
    """
    import skops.io

    folder.mkdir(parents=True, exist_ok=True)
    try:
        data = skops.io.dumps({"deals": _plain(deals), "amounts": _plain(amounts)})
    except Exception as error:
        raise SavedModelError(f"{deals.name}: cannot be saved ({_line(error)})") from error
    _refuse_strangers(skops.io.get_untrusted_types(data=data), deals.name)
    (folder / MODEL_FILE).write_bytes(data)
    (folder / ABOUT_FILE).write_text(json.dumps(dict(about), indent=1, sort_keys=True), encoding="utf-8")


def load(folder: Path) -> SavedModel:
    """Read a model that ``save`` wrote: its forecasts are the same to the last digit.

    Raises
    ------
    SavedModelError
        If a file is missing or broken, or holds a class that is not one of ``OURS`` or ``THEIRS``.
    """
    import skops.io

    path = folder / MODEL_FILE
    try:
        _refuse_strangers(skops.io.get_untrusted_types(file=path), str(path))
        found = _made(skops.io.load(path, trusted=list(THEIRS)))
        about = about_of(folder)
        deals, amounts = found["deals"], found["amounts"]
    except SavedModelError:
        raise
    except Exception as error:
        raise SavedModelError(
            f"{path}: expected a model of pipeforecast, came what cannot be read ({_line(error)}); train it anew"
        ) from error
    if not isinstance(deals, FittedDeals) or not isinstance(amounts, FittedAmounts):
        raise SavedModelError(f"{path}: expected a deal model and amounts, came {type(deals).__name__}; train it anew")
    return SavedModel(deals, amounts, about)


def about_of(folder: Path) -> dict[str, Any]:
    """Read what was said of a model, without the model."""
    found: dict[str, Any] = json.loads((folder / ABOUT_FILE).read_text(encoding="utf-8"))
    return found


def _refuse_strangers(types: list[str], what: str) -> None:
    strangers = sorted(set(types) - set(THEIRS))
    if strangers:
        raise SavedModelError(
            f"{what}: expected arrays, scikit-learn's estimators and pipeforecast's own classes, came {some(strangers)}"
        )


def _plain(value: Any) -> Any:
    """Turn our own objects into mappings of their declared fields; what they keep beside these can be made again."""
    if is_dataclass(value) and not isinstance(value, type):
        name = f"{type(value).__module__}.{type(value).__qualname__}"
        if name not in OURS:
            raise SavedModelError(f"{name}: expected one of the classes that a model may hold, {some(OURS, 20)}")
        if isinstance(value, BaggedChances):
            value.refitted()  # refits wait until somebody asks; on disk there are no deals left to make them from
        return {_CLASS: name, **{f.name: _plain(getattr(value, f.name)) for f in fields(value)}}
    if isinstance(value, pd.Timestamp):
        return {_DAY: value.isoformat()}
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(_plain(item) for item in value)
    return value


def _made(value: Any) -> Any:
    """Make the objects again that ``_plain`` took apart."""
    if isinstance(value, list | tuple):
        return type(value)(_made(item) for item in value)
    if not isinstance(value, dict):
        return value
    inside = {key: _made(item) for key, item in value.items() if key != _CLASS}
    if _DAY in value:
        return pd.Timestamp(inside[_DAY])
    if _CLASS not in value:
        return inside
    name = value[_CLASS]
    if name not in OURS:
        raise SavedModelError(f"{name}: expected one of the classes that a model may hold, {some(OURS, 20)}")
    module, _, own = str(name).rpartition(".")
    return getattr(import_module(module), own)(**inside)


def _line(error: BaseException) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:200]

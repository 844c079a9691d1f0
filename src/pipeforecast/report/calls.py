"""People's own calls beside the model: as they were made, never changed, never mixed into the forecast."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pipeforecast.forecast import TOTAL
from pipeforecast.people import bias_words, value_sentence
from pipeforecast.report.inputs import ReportInput
from pipeforecast.report.names import Names
from pipeforecast.report.words import iso, number
from pipeforecast.wording import noop, t

_LAYERS = {"rep": noop("Reps"), "manager": noop("Managers"), "executive": noop("Executive")}


def call_facts(given: ReportInput, names: Names) -> dict[str, Any] | None:
    """Give each layer's and each person's latest call beside the model; None where the export has no calls at all.

    Returns
    -------
    dict or None
        ``layers`` (from the bottom up) and ``rows`` (by layer, the largest difference first): what was ``called`` and
        when, the model's ``mean``, ``p10`` and ``p90`` of the same money, the ``difference`` (call less mean) and the
        ``place`` of the call (below, within or above the 80 % range); of a person in words whether they close above or
        below own calls. ``added``: what each layer adds, in a sentence.
    """
    if given.calls is None:
        return None
    model, words = _model(given), _words(given)
    layers, rows = [], []
    for layer, plain in _LAYERS.items():
        label = t(plain)
        own = given.calls[(given.calls["layer"] == layer).to_numpy(dtype=bool)]
        if len(own):
            told: dict[str, Any] = {"layer": layer, "label": label, "people": int(own["person"].nunique())}
            called, when = float(own["amount"].sum()), own["made_at"].max()
            layers.append(told | _beside(called, when, model.get((TOTAL, TOTAL))))
        mine = [_person(layer, label, r, model, words, names) for r in own.to_dict("records")]
        rows += sorted(mine, key=lambda r: -abs(r["difference"] or 0.0))
        rows += _silent(layer, label, set(own["person"].astype(str)), words, names)
    added = given.value_added
    return {"layers": layers, "rows": rows, "added": "" if added is None else value_sentence(added)}


def _model(given: ReportInput) -> dict[tuple[str, str], dict[Any, Any]]:
    f = given.forecast
    mine = f[((f["method"] == given.model_name) & (f["part"] == TOTAL)).to_numpy(dtype=bool)]
    return {(str(r["level"]), str(r["group"])): r for r in mine.to_dict("records")}


def _words(given: ReportInput) -> dict[tuple[str, str], str]:
    """What is known of each person's calls, by layer and person."""
    if given.biases is None:
        return {}
    table = given.biases
    told = zip(table["layer"], table["person"], bias_words(table), strict=True)
    return {(str(layer), str(person)): words for layer, person, words in told}


def _beside(called: float | None, when: Any, row: Mapping[Any, Any] | None) -> dict[str, Any]:
    cell = {c: None if row is None else number(row[c]) for c in ("mean", "p10", "p90")}
    out: dict[str, Any] = {"called": number(called), "made_at": iso(when), **cell, "difference": None, "place": None}
    if out["called"] is None or cell["mean"] is None:
        return out
    out["difference"] = out["called"] - cell["mean"]
    if cell["p10"] is not None and cell["p90"] is not None:
        out["place"] = "below" if out["called"] < cell["p10"] else "above" if out["called"] > cell["p90"] else "within"
    return out


def _person(
    layer: str, label: str, row: Mapping[Any, Any], model: Mapping[tuple[str, str], Mapping[Any, Any]],
    words: Mapping[tuple[str, str], str], names: Names,
) -> dict[str, Any]:  # fmt: skip
    level, group, person = str(row["level"]), str(row["group"]), str(row["person"])
    of = "" if group in (person, TOTAL) else names.group(level, group)
    told: dict[str, Any] = {"layer": layer, "label": label, "name": names.person(person), "of": of}
    told["words"] = words.get((layer, person), "")
    return told | _beside(row["amount"], row["made_at"], model.get((level, group)))


def _silent(
    layer: str, label: str, called: set[str], words: Mapping[tuple[str, str], str], names: Names
) -> list[dict[str, Any]]:
    """Give those who called past periods and have not called this one."""
    return [
        {"layer": layer, "label": label, "name": names.person(p), "of": "", "words": said, **_beside(None, None, None)}
        for (at, p), said in words.items()
        if at == layer and p not in called
    ]

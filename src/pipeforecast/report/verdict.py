"""Whether the forecast beats the rules: proven, level, behind, or not yet known."""

from __future__ import annotations

from typing import Any, Literal

from pipeforecast.report.inputs import ReportInput
from pipeforecast.report.words import clean
from pipeforecast.wording import nt, spoken_language, t
from pipeforecast.wording.numerals import NBSP, numerals, written

Kind = Literal["ahead", "level", "behind", "unproven"]

#: With fewer past periods than this, nothing is called proven.
FEWEST_PERIODS = 4
#: Method that leads where the record speaks for a rule, or for half of each.
AUTO = "auto"


def verdict_facts(given: ReportInput, record: dict[str, Any] | None) -> dict[str, Any]:
    """Judge the model against the rules on past periods.

    ``ahead``: the interval of its skill lies above 0. ``behind``: it lies below 0; where there is no interval, the
    skill does; where there is no skill, the mean error is above that of the best rule. ``level``: neither.
    ``unproven``: no replay, or one too short.
    """
    lost = _days_lost(record) if record else []
    return {"kind": _kind(record), "days_lost": lost, "n_periods": record["n_periods"] if record else 0}


def _kind(record: dict[str, Any] | None) -> Kind:
    if record is None or not record["methods"][0]["is_model"] or len(record["methods"]) < 2:
        return "unproven"
    skill = record["skill"]
    if record["n_periods"] < FEWEST_PERIODS:
        # Few periods prove nothing good; bad news is told all the same.
        return "behind" if skill and skill["upper"] is not None and skill["upper"] < 0 else "unproven"
    if skill is not None:
        if skill["lower"] is None or skill["upper"] is None:
            return "behind" if skill["skill"] < 0 else "level"
        return "ahead" if skill["lower"] > 0 else "behind" if skill["upper"] < 0 else "level"
    return "behind" if _mean_error_behind(record) else "level"


def _wape(record: dict[str, Any]) -> list[list[float | None]]:
    values: list[list[float | None]] = next(m["values"] for m in record["measures"] if m["measure"] == "wape")
    return values


def _mean_error_behind(record: dict[str, Any]) -> bool:
    means = []
    for row in _wape(record):
        known = [v for v in row if v is not None]
        means.append(sum(known) / len(known) if known else float("inf"))
    return means[0] > min(means[1:])


def _days_lost(record: dict[str, Any]) -> list[dict[str, Any]]:
    """Days of the period on which some rule had the smaller error."""
    if not record["methods"][0]["is_model"]:
        return []
    out = []
    values = _wape(record)
    for j, day in enumerate(record["all_days"]):
        mine = values[0][j]
        rules = [(v[j], m) for v, m in zip(values[1:], record["methods"][1:], strict=True)]
        known = [(v, m["method"]) for v, m in rules if v is not None and not m["is_chosen"]]
        if mine is not None and known and min(known)[0] < mine:
            error, rule = min(known)
            out.append({"day": day, "rule": rule, "rule_wape": error, "model_wape": mine})
    return out


def lost_words(lost: dict[str, Any]) -> str:
    """Say in a few words by how much a rule was better on a day."""
    gap = numerals().percent.replace(NBSP, " ")
    rule, model = (written(f"{100 * lost[name]:.1f}") + gap for name in ("rule_wape", "model_wape"))
    return t("day {day}: {rule} {error} against {model}", day=lost["day"], rule=lost["rule"], error=rule, model=model)


def proof_words(given: ReportInput, record: dict[str, Any] | None, verdict: dict[str, Any]) -> str:
    """Say in a sentence whether the forecast beats the rules: as it was given in English, else from the record."""
    if spoken_language() == "en":
        return clean(given.proof, 1000)
    n = verdict["n_periods"]
    words = {
        "ahead": nt(
            "The model beats the rule that one would have chosen: over {n} past period its range missed less.",
            "The model beats the rule that one would have chosen: over {n} past periods its range missed less.", n,
        ),
        "behind": nt(
            "The model does NOT beat the rule that one would have chosen: over {n} past period its range missed more.",
            "The model does NOT beat the rule that one would have chosen: over {n} past periods its range missed more.",
            n,
        ),
        "level": nt(
            "It cannot be told yet from {n} past period whether the model beats the rule that one would have chosen.",
            "It cannot be told yet from {n} past periods whether the model beats the rule that one would have chosen.",
            n,
        ),
        "unproven": t("Not yet proven: too few past periods to tell skill from luck."),
    }[verdict["kind"]]  # fmt: skip
    said = [words, (record or {}).get("skill_words", "")]
    if given.model_name == AUTO:
        said.append(
            t("Past periods speak for a rule, or for half of each: that leads (method=model keeps to the model).")
        )
    return " ".join(x for x in said if x)

"""Whether the forecast beats the rules: proven, level, behind, or not yet known."""

from __future__ import annotations

from typing import Any, Literal

from pipeforecast.report.inputs import ReportInput

Kind = Literal["ahead", "level", "behind", "unproven"]

#: With fewer past periods than this, nothing is called proven.
FEWEST_PERIODS = 4


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
    rule, model = (f"{100 * lost[name]:.1f} %" for name in ("rule_wape", "model_wape"))
    return f"day {lost['day']}: {lost['rule']} {rule} against {model}"

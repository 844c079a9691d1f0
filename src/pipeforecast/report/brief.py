"""The report in a few lines: for the terminal and for a message."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pipeforecast.report.words import day, money, percent, range_words, signed_money, to_words
from pipeforecast.wording import nt, speaking, t
from pipeforecast.wording.numerals import NBSP

Facts = dict[str, Any]


def first_lines(facts: Facts) -> str:
    """Give the forecast in a few lines of plain text: the proof, the period, its parts, the record, the findings."""
    with speaking(facts["head"]["language"]):
        return _first_lines(facts)


def _first_lines(facts: Facts) -> str:
    head, line = facts["head"], facts["headline"]
    low, high = line["ranges"]["80"]
    ranged = "" if low is None or high is None else ", " + range_words("80", low, high)
    parts = [f"{p['label'].lower()} {money(p['mean'])}" for p in facts["parts"] if p["adds"]]
    lines = [
        head["proof"],
        f"{head['period']}: {t('most likely {p50}', p50=money(line['p50'], head['currency']))}{ranged}"
        f" ({as_of_words(head)})",
        t("Parts (means): {parts}", parts="; ".join(parts)),
        later_words(facts),
        record_words(facts),
        findings_words(facts),
    ]
    return "\n".join(x for x in lines if x).replace(NBSP, " ") + "\n"


def as_of_words(head: Mapping[str, Any]) -> str:
    """Say from which evening one looks, and where in the period it lies."""
    day_now, as_of = head["day_of_period"], day(head["as_of"])
    if day_now < 0:
        return nt("data as of {day}, {n} day before it begins", "data as of {day}, {n} days before it begins",
                  1 - day_now, day=as_of)  # fmt: skip
    return t("data as of {day}, day {n} of {days}", day=as_of, n=day_now, days=head["period_days"])


def later_words(facts: Facts) -> str:
    """Name the periods after this one."""
    told = [f"{p['period']} {money(p['p50'])} ({to_words(p['p10'], p['p90'])})" for p in facts["later"]]
    return t("Then (80 % ranges, not replayed): {periods}", periods="; ".join(told)) if told else ""


def record_words(facts: Facts) -> str:
    """Say how the model did beside the rules from the day nearest to today."""
    record = facts["record"]
    if record is None:
        return t("No replay of past periods yet: run pipeforecast backtest to get one.")
    at = record["all_days"].index(record["today"])
    values = next(m["values"] for m in record["measures"] if m["measure"] == "wape")
    known = [(v[at], m) for v, m in zip(values, record["methods"], strict=True) if v[at] is not None]
    rules = [(v, m["method"]) for v, m in known if not (m["is_model"] or m["is_chosen"])]
    mine = [v for v, m in known if m["is_model"]]
    if not mine:
        return t("The replay of past periods does not hold this forecast's method.")
    told = {"day": record["today"], "error": percent(mine[0])}
    n = record["n_periods"]
    if not rules:
        return nt("On day {day} of {n} past period it missed by {error}.",
                  "On day {day} of {n} past periods it missed by {error}.", n, **told)  # fmt: skip
    error, name = min(rules)
    return nt(
        "On day {day} of {n} past period it missed by {error}, the best rule in hindsight ({rule}) by {rule_error}.",
        "On day {day} of {n} past periods it missed by {error}, the best rule in hindsight ({rule}) by {rule_error}.",
        n, **told, rule=name, rule_error=percent(error),
    )  # fmt: skip


def findings_words(facts: Facts) -> str:
    """Count the findings by severity."""
    found = facts["findings"]
    if not found:
        return t("Findings: none.")
    counts = {s: sum(f["severity"] == s for f in found) for s in ("error", "warning", "info")}
    words = t("Findings: {errors}, {warnings}, {info} to know.", errors=nt("{n} error", "{n} errors", counts["error"]),
              warnings=nt("{n} warning", "{n} warnings", counts["warning"]), info=counts["info"])  # fmt: skip
    codes = ", ".join(dict.fromkeys(f["code"] for f in found if f["severity"] == "error"))
    return words + (" " + t("Errors: {codes}.", codes=codes) if codes else "")


def what_if_words(row: Mapping[Any, Any], currency: str) -> str:
    """Set a scenario's mean beside the forecast's; ``row`` is one of ``scenario.csv``, that of the total."""
    apart, low, high = (signed_money(row[c]) for c in ("difference", "difference_p10", "difference_p90"))
    words = t(
        "If {scenario}: on average {mean} instead of {base} ({apart}; 80 % of draws: {low} to {high})",
        scenario=row["scenario"], mean=money(row["mean"], currency), base=money(row["base_mean"]), apart=apart,
        low=low, high=high,
    )  # fmt: skip
    return words.replace(NBSP, " ")

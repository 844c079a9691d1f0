"""The report in a few lines: for the terminal and for a message."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pipeforecast.report.words import MISSING, count, day, money, percent, signed_money
from pipeforecast.wording.numerals import NBSP

Facts = dict[str, Any]


def first_lines(facts: Facts) -> str:
    """Give the forecast in a few lines of plain text: the proof, the period, its parts, the record, the findings."""
    head, line = facts["head"], facts["headline"]
    low, high = line["ranges"]["80"]
    ranged = "" if low is None or high is None else f", 80 % range {money(low)} to {money(high)}"
    lines = [
        head["proof"],
        f"{head['period']}: most likely {money(line['p50'], head['currency'])}{ranged}"
        f" (data as of {day(head['as_of'])}, day {head['day_of_period']} of {head['period_days']})",
        "Parts (means): " + "; ".join(f"{p['label'].lower()} {money(p['mean'])}" for p in facts["parts"] if p["adds"]),
        later_words(facts),
        record_words(facts),
        findings_words(facts),
    ]
    return "\n".join(x for x in lines if x).replace(NBSP, " ") + "\n"


def later_words(facts: Facts) -> str:
    """Name the periods after this one."""
    told = [f"{p['period']} {money(p['p50'])} ({money(p['p10'])} to {money(p['p90'])})" for p in facts["later"]]
    return f"Then (80 % ranges, not replayed): {'; '.join(told)}" if told else ""


def record_words(facts: Facts) -> str:
    """Say how the model did beside the rules from the day nearest to today."""
    record = facts["record"]
    if record is None:
        return "No replay of past periods yet: run pipeforecast backtest to get one."
    at = record["all_days"].index(record["today"])
    values = next(m["values"] for m in record["measures"] if m["measure"] == "wape")
    known = [(v[at], m) for v, m in zip(values, record["methods"], strict=True) if v[at] is not None]
    rules = [(v, m["method"]) for v, m in known if not (m["is_model"] or m["is_chosen"])]
    mine = [v for v, m in known if m["is_model"]]
    if not mine:
        return "The replay of past periods does not hold this forecast's method."
    words = f"On day {record['today']} of {count(record['n_periods'], 'past period')} it missed by {percent(mine[0])}"
    if rules:
        error, name = min(rules)
        words += f", the best rule in hindsight ({name}) by {percent(error)}"
    return words + "."


def findings_words(facts: Facts) -> str:
    """Count the findings by severity."""
    found = facts["findings"]
    if not found:
        return "Findings: none."
    counts = {s: sum(f["severity"] == s for f in found) for s in ("error", "warning", "info")}
    named = [count(counts["error"], "error"), count(counts["warning"], "warning"), f"{counts['info']} to know"]
    codes = ", ".join(dict.fromkeys(f["code"] for f in found if f["severity"] == "error"))
    return f"Findings: {', '.join(named)}." + (f" Errors: {codes}." if codes else "")


def _cell(text: str) -> str:
    """Keep text from outside from breaking a table or turning into markup."""
    for sign in "\\`*_[]<>|#":
        text = text.replace(sign, "\\" + sign)
    return text


def _table(header: list[str], rows: list[list[str]]) -> list[str]:
    rule = ["---"] + ["---:"] * (len(header) - 1)
    return ["| " + " | ".join(r) + " |" for r in (header, rule, *rows)]


def _deal(d: dict[str, Any]) -> list[str]:
    chance, due = percent(d["p_win_in_period"]), day(d["expected_close"])
    return [_cell(d["name"]), _cell(d["owner"]), money(d["amount"]), chance, due]


def what_if_words(row: Mapping[Any, Any], currency: str) -> str:
    """Set a scenario's mean beside the forecast's; ``row`` is one of ``scenario.csv``, that of the total."""
    apart, low, high = (signed_money(row[c]) for c in ("difference", "difference_p10", "difference_p90"))
    words = (
        f"If {row['scenario']}: on average {money(row['mean'], currency)} instead of {money(row['base_mean'])} "
        f"({apart}; 80 % of draws: {low} to {high})"
    )
    return words.replace(NBSP, " ")


def summary(facts: Facts, what_if: str = "", quota: str = "") -> str:
    """Give the report as a page of Markdown, with the words on a scenario and on the quota where there are some."""
    head, line, currency = facts["head"], facts["headline"], facts["head"]["currency"]
    ranges = [
        [f"{name} % range", f"{money(lo)} to {money(hi)}" if lo is not None else MISSING]
        for name, (lo, hi) in line["ranges"].items()
    ]
    mean = ["Mean", money(line["mean"])]
    parts = [[p["label"], money(p["mean"]), money(p["p10"]), money(p["p90"])] for p in facts["parts"]]
    deals = [_deal(d) for d in facts["deals"]["shown"][:10]]
    found = [[f["severity"], f["code"], f"{f['count']:,}", _cell(f["advice"])] for f in facts["findings"][:15]]
    text = [
        f"# {_cell(head['title'])}", "", f"**{_cell(head['proof'])}**", "",
        f"{_cell(head['company'])}, {head['period']}, data as of {day(head['as_of'])} (day {head['day_of_period']} of "
        f"{head['period_days']}). Amounts in {currency}. {_cell(head['what_counts'])}", "",
        *_table(["The period", currency], [["Most likely", money(line["p50"])], mean, *ranges]),
        *(line for note in (quota, what_if) if note for line in ("", _cell(note))),
        "", "## Parts", "", *_table(["Part", "Mean", "P10", "P90"], parts), "",
        "Means add up. Quantiles of parts do not: not everything goes badly, or well, at once.", "",
        *([f"{later_words(facts)}.", ""] if facts["later"] else []),
        "## Against the rules", "", record_words(facts), "",
        "## Biggest open deals", "",
    ]  # fmt: skip
    text += _table(["Deal", "Owner", "Amount", "Chance", "CRM date"], deals) if deals else ["No open deals."]
    text += ["", "## Findings", "", findings_words(facts)]
    text += ["", *_table(["Severity", "Code", "Count", "Advice"], found)] if found else []
    return "\n".join(text).replace(NBSP, " ") + "\n"

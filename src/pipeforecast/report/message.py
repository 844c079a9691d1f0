"""The report as a message: Markdown for mail and chat, what a manager must know on one screen."""

from __future__ import annotations

from typing import Any

from pipeforecast.report.brief import as_of_words
from pipeforecast.report.words import count, day, money, percent, shortened, signed_money, to_words
from pipeforecast.wording import speaking, t
from pipeforecast.wording.numerals import NBSP

Facts = dict[str, Any]
MOST_DEALS, MOST_FINDINGS, MOST_CAUSES = 3, 3, 3


def cell(text: str) -> str:
    """Keep text from outside from turning into markup."""
    for sign in "\\`*_[]<>|#~":
        text = text.replace(sign, "\\" + sign)
    # An address would be made a link by most readers of Markdown.
    return text.replace("://", ":\u200b//").replace("@", "@\u200b")


def summary(facts: Facts, what_if: str = "", quota: str = "") -> str:
    """Give the report as a message in its language.

    Parameters
    ----------
    facts : dict
        What ``facts`` of the room ``report.facts`` gives.
    what_if, quota : str
        The words on a scenario and on the quota, where there are some.
    """
    with speaking(facts["head"]["language"]):
        head, bad = facts["head"], facts["verdict"]["kind"] == "behind"
        title = cell(f"{head['company']}: {head['title']}")
        told = [
            f"# {title}", "",
            *([f"**{t('Worse than a rule')}.** {cell(head['proof'])}", ""] if bad else []),
            *_points(facts, quota, what_if), "",
            *([] if bad else [cell(head["proof"]), ""]),
            *_findings(facts), *_deals(facts),
            t("Amounts in {currency}. {what_counts}", currency=head["currency"], what_counts=cell(head["what_counts"])),
            "", t("All of it, with filters and reasons: {file}, in the folder of this message.", file="`report.html`"),
        ]  # fmt: skip
        return "\n".join(told).replace(NBSP, " ") + "\n"


def _points(facts: Facts, quota: str, what_if: str) -> list[str]:
    head, line = facts["head"], facts["headline"]
    low, high = line["ranges"]["80"]
    ranged = "" if low is None else " (" + t("80 % range") + f" {to_words(low, high)})"
    points = [
        f"**{t('{period}, most likely', period=head['period'])}: {money(line['p50'], head['currency'])}**{ranged}",
        t("Won so far") + f": {money(line['won'])}; "
        + as_of_words(head),
        cell(quota) or _quota(facts),
        _since(facts),
        cell(what_if),
    ]  # fmt: skip
    return [f"- {x}" for x in points if x]


def _quota(facts: Facts) -> str:
    told = facts["quota"]
    if told is None or told["quota"] is None:
        return ""
    hit = "" if told["p_hit"] is None else ": " + t("reached with probability {p_hit}", p_hit=percent(told["p_hit"]))
    return t("quota {amount}", amount=money(told["quota"])) + hit


def _since(facts: Facts) -> str:
    """What moved the mean since the last time, its largest causes first."""
    told = facts["moved"]
    if told is None:
        return ""
    bars = sorted((b for b in told["bars"] if round(b["amount"])), key=lambda b: -b["size"])[:MOST_CAUSES]
    since = t("Since {since}:", since=day(told["since"]))
    change = signed_money(told["end"] - told["start"])
    ends = {"start": money(told["start"]), "end": money(told["end"]), "change": change}
    causes = ", ".join(f"{b['label'].lower()} {signed_money(b['amount'])}" for b in bars)
    if not causes:
        return f"{since} " + t("the model's mean went from {start} to {end} ({change}).", **ends)
    return f"{since} " + t(
        "the model's mean went from {start} to {end} ({change}); most of it {causes}.", **ends, causes=causes
    )


def _findings(facts: Facts) -> list[str]:
    grave = [f for f in facts["findings"] if f["severity"] in ("error", "warning")]
    if not grave:
        return []
    lines = [f"- `{f['code']}` {cell(shortened(f['advice'], 160))}" for f in grave[:MOST_FINDINGS]]
    more = len(grave) - MOST_FINDINGS
    if more > 0:
        lines.append("- " + t("and {more} more in the report", more=more))
    return [f"**{t('Before you rely on it')}**", "", *lines, ""]


def _deals(facts: Facts) -> list[str]:
    deals = facts["deals"]
    if not deals["count"]:
        return [t("No open deals."), ""]
    if not deals["shown"]:
        return []
    late = {d["deal_id"]: d["why"] for d in facts["risk"]["shown"]}
    lines = []
    for d in deals["shown"][:MOST_DEALS]:
        why = f"; {late[d['deal_id']]}" if late.get(d["deal_id"]) else ""
        dated = day(d["expected_close"])
        said = t("{amount}, chance in the period {chance}, CRM date {day}", amount=money(d["amount"]),
                 chance=percent(d["p_win_in_period"]), day=dated)  # fmt: skip
        lines.append(f"- {cell(shortened(d['name']))} ({cell(shortened(d['owner']))}): {said}{why}")
    title = t("Deals that make the period") + f" ({count(deals['count'], 'open deal', 'open deals')})"
    return [f"**{title}**", "", *lines, ""]

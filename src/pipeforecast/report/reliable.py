"""Chances of past days beside what came true, as a plot."""

from __future__ import annotations

from typing import Any

from markupsafe import Markup

from pipeforecast.report.svg import Scale, drawing, stroke, tag, text
from pipeforecast.report.words import percent
from pipeforecast.wording import t
from pipeforecast.wording.numerals import grouped

_FLOOR, _TOP, _HEIGHT = 236.0, 12.0, 262.0


def chances(facts: dict[str, Any]) -> Markup:
    """Draw mean chance against share won, bin by bin; empty where nothing is known."""
    told = facts["chances"]
    if told is None:
        return Markup("")
    most = max(x for b in told["bins"] for x in (b["forecast"], b["upper"]))
    top = min(max(most * 1.05, 0.05), 1.0)
    across, down = Scale(0.0, top, 9, 97), Scale(0.0, top, _FLOOR, _TOP)
    body = []
    for share in down.ticks(4):
        body += [stroke(9, down.at(share), 97, down.at(share), "grid"),
                 tag("text", percent(share), x="0", y=f"{down.at(share) + 4:.1f}", class_="tick"),
                 text(across.at(share), _FLOOR + 20, percent(share))]  # fmt: skip
    body.append(stroke(across.at(0), down.at(0), across.at(top), down.at(top), "even"))
    for b in told["bins"]:
        x = across.at(b["forecast"])
        tip = t(
            "chance {chance}, came true {observed} ({low} to {high}), n = {n}", chance=percent(b["forecast"]),
            observed=percent(b["observed"]), low=percent(b["lower"]), high=percent(b["upper"]), n=grouped(b["n"]),
        )  # fmt: skip
        body += [stroke(x, down.at(b["lower"]), x, down.at(b["upper"]), "whisk"),
                 tag("circle", cx=f"{x:.2f}%", cy=f"{down.at(b['observed']):.1f}", r=5, class_="point model",
                     data_tip=tip)]  # fmt: skip
    said = "; ".join(
        t("{chance} came true {observed}", chance=percent(b["forecast"]), observed=percent(b["observed"]))
        for b in told["bins"]
    )
    return drawing(_HEIGHT, t("Chances of past days and how often they came true: {said}", said=said), *body)

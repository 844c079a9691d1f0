"""The audit's page: facts as plain data, then one file that needs no network."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd

from pipeforecast.audit import Audit
from pipeforecast.audit.flags import FLAGS
from pipeforecast.audit.owners import ALL, NOBODY
from pipeforecast.report.hygiene import flag_question, flag_title, flag_titles
from pipeforecast.report.page import environment, fingerprint_of, source_of, written
from pipeforecast.report.words import clean, iso, number
from pipeforecast.wording import retold, speaking, t

#: Deals shown in the table of all deals, the most to lose first; the rest are in the file.
MOST_DEALS = 300


#: Shows an owner by id and name; None where there is nobody.
OwnerName = Callable[[Any, Any], str]


def audit_facts(
    made: Audit, as_of: pd.Timestamp, currency: str, language: str = "en", named: Callable[[object], bool] | None = None
) -> dict[str, Any]:
    """Work out everything that the page says: plain data that ``json.dumps`` takes.

    Parameters
    ----------
    made : Audit
    as_of : Timestamp
    currency : str
    language : str
        One of ``wording.LANGUAGES``.
    named : function of an owner's id, optional
        Whether the page may name somebody; others are Person 1, Person 2, … Without it everybody is named.
    """
    with speaking(language):
        return _facts(made, as_of, currency, _owner_names(made, named)) | {"language": language}


def _owner_names(made: Audit, named: Callable[[object], bool] | None) -> OwnerName:
    hidden = [] if named is None else [str(o) for o in made.owners["owner"] if o not in (ALL, NOBODY) and not named(o)]
    numbers = {owner: i + 1 for i, owner in enumerate(hidden)}

    def of(owner: Any, name: Any) -> str:
        if pd.isna(owner) or str(owner) == NOBODY:
            return t("(none)")
        number = numbers.get(str(owner))
        return t("Person {number}", number=number) if number else clean(name) or clean(owner)

    return of


def _facts(made: Audit, as_of: pd.Timestamp, currency: str, owner_name: OwnerName) -> dict[str, Any]:
    deals = made.deals
    flagged = deals["flag"].notna().to_numpy()
    stake = deals["at_stake"].to_numpy(dtype="float64")
    return {
        "head": {
            "as_of": iso(as_of), "currency": retold("currency", clean(currency)), "deals": len(deals),
            "evenings": made.evenings,
            "amount": number(stake.sum()), "flagged": int(flagged.sum()),
            "flagged_amount": number(stake[flagged].sum()),
            "clean": int((~flagged).sum()),
        },
        "flags": [_plain(r) | {"title": flag_title(r["flag"])} for r in made.flags.to_dict("records")],
        "criteria": [_plain(r) for r in made.criteria.to_dict("records")],
        "owners": [_owned(r, owner_name) for r in made.owners.to_dict("records") if r["owner"] != ALL],
        "all": _plain(made.owners[(made.owners["owner"] == ALL).to_numpy()].iloc[0].to_dict()),
        "review": _review(made.review, owner_name),
        "shown": [_deal(r, owner_name) for r in deals.head(MOST_DEALS).to_dict("records")],
        "findings": [
            {"code": f.code, "severity": f.severity, "repair": retold("finding", f.repair),
             "advice": retold("finding", f.advice),
             "examples": ", ".join(flag_title(e) if e in FLAGS else e for e in f.examples)}
            for f in made.findings
        ],
    }  # fmt: skip


def _plain(row: dict[Any, Any]) -> dict[str, Any]:
    """Texts cleaned, numbers finite or None, days as ISO."""
    out: dict[str, Any] = {}
    for name, value in row.items():
        if isinstance(value, pd.Timestamp) or value is pd.NaT:
            out[str(name)] = iso(value)
        elif isinstance(value, str):
            out[str(name)] = clean(value)
        else:
            out[str(name)] = number(value)
    return out


def _owned(row: dict[Any, Any], owner_name: OwnerName) -> dict[str, Any]:
    """One row, whose ``owner`` is who may be shown."""
    out = _plain(row)
    out["owner"] = owner_name(row["owner"], out.pop("owner_name"))
    return out


def _deal(row: dict[Any, Any], owner_name: OwnerName) -> dict[str, Any]:
    out = _owned(row, owner_name)
    out["flags"] = flag_titles(row["flags"]) if row["n_flags"] else []
    if row.get("question"):
        out["question"] = flag_question(row["flag"])
    return out


def _review(review: pd.DataFrame, owner_name: OwnerName) -> list[dict[str, Any]]:
    """The weekly list, owner by owner."""
    out = []
    for _, own in review.groupby("owner", sort=False):
        rows = [_deal({**r, "n_flags": 1}, owner_name) for r in own.to_dict("records")]
        out.append({"name": rows[0]["owner"], "deals": rows})
    return out


def render_audit(facts: dict[str, Any]) -> str:
    """Give the page as text."""
    with speaking(facts["language"]):
        return _rendered(facts)


def _rendered(facts: dict[str, Any]) -> str:
    script = source_of("page.js")
    return environment().get_template("audit.html").render(
        f=facts, currency=facts["head"]["currency"], script=script, fingerprint=fingerprint_of(script),
        style=source_of("page.css") + source_of("charts.css") + source_of("metrics.css"),
    )  # fmt: skip


def write_audit_page(facts: dict[str, Any], path: Path) -> Path:
    """Write the page; who reads the old one meanwhile never sees half of the new one."""
    return written(render_audit(facts), path)

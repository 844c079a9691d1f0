"""The audit's page: facts as plain data, then one file that needs no network."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd

from pipeforecast.audit import Audit
from pipeforecast.audit.flags import FLAGS
from pipeforecast.audit.owners import ALL
from pipeforecast.report.page import environment, fingerprint_of, source_of, written
from pipeforecast.report.words import clean, iso, number

#: Deals shown in the table of all deals, the most to lose first; the rest are in the file.
MOST_DEALS = 300


def audit_facts(made: Audit, as_of: pd.Timestamp, currency: str) -> dict[str, Any]:
    """Work out everything that the page says: plain data that ``json.dumps`` takes."""
    deals = made.deals
    flagged = deals["flag"].notna().to_numpy()
    stake = deals["at_stake"].to_numpy(dtype="float64")
    return {
        "head": {
            "as_of": iso(as_of), "currency": clean(currency), "deals": len(deals), "evenings": made.evenings,
            "amount": number(stake.sum()), "flagged": int(flagged.sum()),
            "flagged_amount": number(stake[flagged].sum()),
            "clean": int((~flagged).sum()),
        },
        "flags": [_plain(r) for r in made.flags.to_dict("records")],
        "criteria": [_plain(r) for r in made.criteria.to_dict("records")],
        "owners": [_plain(r) for r in made.owners.to_dict("records") if r["owner"] != ALL],
        "all": _plain(made.owners[(made.owners["owner"] == ALL).to_numpy()].iloc[0].to_dict()),
        "review": _review(made.review),
        "shown": [_deal(r) for r in deals.head(MOST_DEALS).to_dict("records")],
        "findings": [
            {"code": f.code, "severity": f.severity, "examples": ", ".join(f.examples), "repair": f.repair,
             "advice": f.advice}
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


def _deal(row: dict[Any, Any]) -> dict[str, Any]:
    out = _plain(row)
    out["flags"] = [FLAGS[f].title for f in str(row["flags"]).split("; ")] if row["n_flags"] else []
    return out


def _review(review: pd.DataFrame) -> list[dict[str, Any]]:
    """The weekly list, owner by owner."""
    out = []
    for owner, own in review.groupby("owner", sort=False):
        rows = [_deal({**r, "n_flags": 1}) for r in own.to_dict("records")]
        out.append({"owner": clean(owner), "name": rows[0]["owner_name"] or clean(owner), "deals": rows})
    return out


def render_audit(facts: dict[str, Any]) -> str:
    """Give the page as text."""
    script = source_of("page.js")
    return environment().get_template("audit.html").render(
        f=facts, currency=facts["head"]["currency"], script=script, fingerprint=fingerprint_of(script),
        style=source_of("page.css") + source_of("charts.css") + source_of("metrics.css"),
    )  # fmt: skip


def write_audit_page(made: Audit, as_of: pd.Timestamp, currency: str, path: Path) -> Path:
    """Write the page; who reads the old one meanwhile never sees half of the new one."""
    return written(render_audit(audit_facts(made, as_of, currency)), path)

"""Studies of thresholds on the bank's leads and on the two kinds of made-up companies, as the verb makes them."""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pandas as pd
import parts

from pipeforecast.demo import make_company
from pipeforecast.leadrun import prepared_leads
from pipeforecast.leads import ScoredLeads
from pipeforecast.leadsettings import LeadSettings
from pipeforecast.settings import ThresholdsSettings

ACCEPTED = ("pages_viewed", "webinar_attended", "demo_requested")


def made_up(kind: str, deals: int, seed: int, accepted: bool) -> ScoredLeads:
    """Scored leads of a made-up company; ``accepted``: with what its CRM knows of today only."""
    told = LeadSettings(accept_todays_values=ACCEPTED if accepted else (), random_split=False)
    with tempfile.TemporaryDirectory() as place:
        make_company(n_deals=deals, seed=seed, kind=kind).write(Path(place))
        settings = ThresholdsSettings(crm=parts.mapping("salesforce"), source=Path(place), lead=told)
        return prepared_leads(settings, told).scored()


def bank(every: int, in_order: bool) -> ScoredLeads | None:
    """Scored leads of the bank, in the order of the file or in none; None where the data are not there."""
    folder = parts.real("bank")
    if folder is None:
        return None
    told = LeadSettings(rows_in_order=in_order, random_split=False)
    with tempfile.TemporaryDirectory() as place:
        frame = pd.read_csv(next(folder.glob("bank-full*")), sep=";", dtype=str, keep_default_na=False)
        frame.iloc[::every].to_csv(Path(place) / "bank-full.csv", sep=";", index=False)
        settings = ThresholdsSettings(crm=parts.mapping("bank_marketing"), source=Path(place), lead=told)
        return prepared_leads(settings, told).scored()


def all_of_them(deals: int, seeds: list[int], every: int) -> Iterator[tuple[str, ScoredLeads]]:
    """Name and leads of each; without seeds of one small company alone, to see that it works."""
    if not seeds:
        yield "standard 0", made_up("standard", deals, 0, True)
        return
    for name, scored in (("bank, in order", bank(every, True)), ("bank, random split", bank(every, False))):
        if scored is not None:
            yield name, scored
    for seed in seeds:
        for kind in ("standard", "other"):
            for accepted in (False, True):
                yield f"{kind} {seed}{', accepted' if accepted else ''}", made_up(kind, deals, seed, accepted)


def tabled(
    rows_of: Callable[[str, ScoredLeads], list[dict]], deals: int, seeds: list[int], every: int, path: Path | None
) -> None:
    """Print the rows of every set of leads as they come; ``path`` keeps the table."""
    out: list[dict] = []
    for name, scored in all_of_them(deals, seeds, every):
        out += rows_of(name, scored)
        print(pd.DataFrame(out).round(4).to_string(index=False), flush=True)
    if path is not None:
        pd.DataFrame(out).to_csv(path, index=False, float_format="%.5g")


def asked(about: str | None, rows_of: Callable[[str, ScoredLeads], list[dict]], path: Path) -> None:
    """Answer a part's command: all leads, or with ``--small`` those of one small company, kept nowhere."""
    parser = argparse.ArgumentParser(description=about)
    parser.add_argument("--small", action="store_true", help="a quick form that only shows that the command works")
    if parser.parse_args().small:
        tabled(rows_of, 400, [], 1, None)
    else:
        tabled(rows_of, 5000, [0], 1, path)

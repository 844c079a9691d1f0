"""Every code that a finding may have: how grave, what it means, what is done about it, what to do."""

from pipeforecast.codes.data import DATA, REFUSED
from pipeforecast.codes.declared import Code
from pipeforecast.codes.leads import LEADS
from pipeforecast.codes.refused import REFUSALS, Refusal
from pipeforecast.codes.results import RESULTS

#: In the order of the page.
CODES: dict[str, Code] = {c.code: c for part in (REFUSED, DATA, LEADS, RESULTS) for c in part}

__all__ = ["CODES", "DATA", "LEADS", "REFUSALS", "REFUSED", "RESULTS", "Code", "Refusal"]

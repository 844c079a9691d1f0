"""The catalogue: every figure that is asked of a pipeline, one definition and one function each.

``view_of`` looks at a history from one evening, for some windows (fiscal periods, sides of a campaign) and groupings;
``told`` computes any metrics of the catalogue from it and gives one long table. A metric is a declaration with one
function, which gives the values of **all windows and all groups at once**: arrays (P, G), P windows by G groups of all
groupings side by side (the first is the total). It never loops over either.

A declaration, worked out: the share of leads that were answered within a day. A module has its functions and, last,
a tuple ``METRICS``; ``catalogue._MODULES`` names the module::

    def _answered_within_a_day(view: View) -> Values:
        leads = view.table("leads")                       # Facts: rows as known on the evening, days after it NaT
        hours = (leads.rows["first_response_at"] - leads.rows["created_at"]).dt.total_seconds() / 3600
        created = leads.within("created_at")              # Chosen: rows of each window, by the day that decides
        n = created.count()                               # (P, G)
        hits = created.where(hours <= 24).count()         # also: sum, squares, distinct, quantile
        return proportion(hits, n)

    METRICS = (
        Metric(
            name="answered_within_a_day", title="Leads answered within a day",
            formula="leads with a first response within 24 hours ÷ leads created in the period",
            unit="share", counts="leads", clock="created", good="up", family="marketing",
            compute=_answered_within_a_day,
            needs={"leads": ("created_at", "first_response_at")},   # without one: "not available", with the reason
            example="18 of 24 = 0.75",
        ),
    )

What to know

- ``view.deals`` are deals as known on the evening, ``view.opened`` those open on each window's own last evening (as
  known then; choose them with ``on_evening()``), ``view.table(name)`` any other table. Rows of one's own making become
  countable by ``view.facts(rows)``; a column that is a grouping needs its canonical name. ``view.once(name, make)``
  keeps what several metrics share.
- ``within(day, where, window="trailing")`` looks at the four complete periods before each window's evening,
  ``"year before"`` at the year before it begins.
- ``values`` has the shapes of a result: ``count``, ``amount`` (a sum), ``mean``, ``proportion`` (Wilson), ``quotient``
  (no interval). NaN is *undefined* and is what ``ratio`` gives where the denominator is not above 0. Raise
  ``NotAvailable(reason)`` where something that ``needs`` cannot say is missing.
- A grouping that the counted rows have no column for has n = 0 in all its groups, and is told as not available.
- Parts (stages, bands, sources) are a mapping of part to ``Values``; the row's column ``part`` has it.
- Counts and sums have ``additive=True``: a test adds them up over groups, and over the months of a quarter.
- What is odd in the data is left out of the figure and told by ``view.note(Finding(…))``.
"""

from pipeforecast.metrics.catalogue import CATALOGUE, metrics_named
from pipeforecast.metrics.declared import Metric
from pipeforecast.metrics.told import told
from pipeforecast.metrics.values import NotAvailable, Values
from pipeforecast.metrics.view import View, view_of
from pipeforecast.metrics.windows import Window, Windows

__all__ = [
    "CATALOGUE", "Metric", "NotAvailable", "Values", "View", "Window", "Windows", "metrics_named", "told", "view_of",
]  # fmt: skip

"""How long stays are, and what was skipped, beside the plain ways of reckoning both."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
from hypothesis import given
from hypothesis import strategies as st
from small_pipeline import AS_OF, ASKED, CALENDAR, OPEN, audited, company
from statsmodels.duration.survfunc import SurvfuncRight

from pipeforecast.audit import audit_of
from pipeforecast.audit.looks import past_evenings
from pipeforecast.audit.stays import first_skips, long_stays
from pipeforecast.snapshot import take_snapshots
from stories import deal, tell

BEGIN = pd.Timestamp("2024-01-01")
HOUR = np.timedelta64(3600, "s")


def stays(begun: list[int], hours: list[int | None]) -> pd.DataFrame:
    begin = BEGIN.to_datetime64().astype("datetime64[s]") + np.array(begun) * 24 * HOUR
    end = [b + h * HOUR if h is not None else np.datetime64("NaT", "s") for b, h in zip(begin, hours, strict=True)]
    return pd.DataFrame({"stage": "Talk", "begin": begin, "end": np.array(end, dtype="datetime64[s]")})


@given(
    st.lists(st.tuples(st.integers(0, 60), st.none() | st.integers(0, 1500)), min_size=1, max_size=60),
    st.sampled_from([0.5, 0.8, 0.9]),
)
def test_the_limit_of_each_evening_is_the_quantile_of_kaplan_and_meier(told: list, share: float) -> None:
    table = stays([b for b, _ in told], [h for _, h in told])
    days = [BEGIN + pd.Timedelta(days=d) for d in (0, 20, 45, 90)]
    found = long_stays(table, days, share, least=3)["Talk"]
    for day in days:
        evening = (day + pd.Timedelta(days=1)).to_datetime64()
        seen = table[(table["begin"] < evening).to_numpy()]
        over = (seen["end"] < evening).to_numpy()
        spent = (seen["end"].where(over, evening) - seen["begin"]) / pd.Timedelta(days=1)
        plain = SurvfuncRight(spent, over).quantile(share) if over.sum() >= 3 else np.nan
        np.testing.assert_equal(found[day], plain)


def test_of_very_many_stays_evenly_spread_ones_speak_for_all() -> None:
    rng = np.random.default_rng(0)
    table = stays([0] * 4000, [int(h) for h in rng.exponential(240, 4000)])
    day = [BEGIN + pd.Timedelta(days=200)]
    every, some = (long_stays(table, day, 0.9, 10, most)["Talk"].iloc[0] for most in (4000, 1000))
    assert every != some
    length = (table["end"] - table["begin"]) / pd.Timedelta(days=1)
    assert abs((length <= some).mean() - 0.9) < 0.02


@given(st.lists(st.lists(st.sampled_from(["Talk", "Offer", "Deal", None]), min_size=1, max_size=6), max_size=5))
def test_a_skip_is_the_first_step_over_a_stage_never_reached(told: list) -> None:
    place = {"Talk": 1, "Offer": 2, "Deal": 3}
    deals = [
        deal(f"d{i}", *((str((BEGIN + pd.Timedelta(days=j)).date()), {"stage": s}) for j, s in enumerate(way)))
        for i, way in enumerate(told)
    ]
    history = tell(deals, until="2024-04-30")
    expected = {}
    for key, own in history.states.groupby("deal"):
        reached = 0
        for at, stage in zip(own["recorded_at"], own["stage"], strict=True):
            here = 0 if pd.isna(stage) else place[stage]
            if 0 < reached < here - 1:
                expected.setdefault(key, at)
            reached = max(reached, here)
    assert first_skips(history).to_dict() == expected


def test_an_audit_on_evenings_that_were_looked_at_already_is_the_same_audit() -> None:
    """Of a forecast's own evenings those within reach count; with the audit's own days nothing differs."""
    known = tell([*company(), *OPEN], until="2024-04-30").known_by(AS_OF)
    days = past_evenings(AS_OF, known.states["recorded_at"].min(), ASKED.past.days, ASKED.past.every)
    far = AS_OF - pd.Timedelta(days=ASKED.past.days + 1)
    seen = take_snapshots(known, [far, *days, AS_OF])
    made, own = audit_of(known, CALENDAR, AS_OF, ASKED, True, seen), audited(known)
    assert made.evenings == own.evenings == len(days)
    pd.testing.assert_frame_equal(made.deals, own.deals)
    pd.testing.assert_frame_equal(made.flags, own.flags)
    fewer = audit_of(known, CALENDAR, AS_OF, replace(ASKED), True, seen.only([days[-1], AS_OF]))
    assert fewer.evenings == 1
    pd.testing.assert_frame_equal(fewer.owners[["owner", "open_amount"]], own.owners[["owner", "open_amount"]])

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from pipeforecast.errors import DataError
from pipeforecast.thresholds import ALL, Asked, Terms, findings_of, read_log, studied
from pipeforecast.thresholds.curve import curve
from pipeforecast.thresholds.explore import ExploreLog, drawn, weights
from pipeforecast.thresholds.judged import Judged
from pipeforecast.thresholds.rows import cuts_of_leads, explore_rows

IDS = [f"L{i}" for i in range(20_000)]


def test_a_lead_is_drawn_once_and_for_all() -> None:
    one = drawn(IDS, 0.03, 7)
    assert 0.025 < one.mean() < 0.035
    np.testing.assert_array_equal(drawn(IDS[::-1], 0.03, 7), one[::-1])
    assert (one <= drawn(IDS, 0.05, 7)).all()  # a larger share draws the same leads, and more
    assert (one != drawn(IDS, 0.03, 8)).any()
    assert not drawn(IDS, 0.0, 7).any()
    assert drawn(IDS, 1.0, 7).all()


def test_only_young_leads_below_their_threshold_are_proposed(made) -> None:
    rows = explore_rows(made, 1.0)
    leads = made.scored.leads.set_index("lead_id")
    assert len(rows) > 0
    assert leads.loc[rows["lead_id"], "converted_within"].isna().all()
    assert (rows["score"] < rows["threshold"]).all()
    segment = made.scored.leads["segment"].to_numpy(dtype=object)
    cut = cuts_of_leads(made, segment)
    young = made.scored.leads["converted_within"].isna() & (made.scored.leads["p"] < cut)
    assert set(rows["lead_id"]) == set(made.scored.leads.loc[young, "lead_id"])
    assert len(explore_rows(made, 0.0)) == 0


def _confounded(seed: int = 0, n: int = 60_000) -> tuple[Judged, np.ndarray, ExploreLog, np.ndarray]:
    """Below 0.5 reps pick leads that they know to be good, and three in a hundred are drawn at random."""
    rng = np.random.default_rng(seed)
    score, hidden = rng.random(n), rng.random(n) < 0.5
    come = rng.random(n) < np.clip(0.5 * score + np.where(hidden, 0.1, -0.1), 0, 1)  # had somebody turned to it
    ids = np.array([f"L{i}" for i in range(n)])
    mine = drawn(ids, 0.1, 0) & (score < 0.5)
    contacted = (score >= 0.5) | mine | ((score < 0.5) & hidden & (rng.random(n) < 0.5))
    came = come & contacted
    as_of = np.full(n, np.datetime64("2024-01-01", "s"))
    log = ExploreLog(frozenset(ids[mine]), np.datetime64("2024-01-01", "s"), 0.5, "p", 0.1)
    leads = Judged(score, came.astype(float), ~contacted, as_of, np.ones(n), 10.0)
    weight, since = weights(log, ids, as_of, score, ~contacted)
    assert since.all()
    return leads, weight, log, come


def test_explored_leads_tell_what_those_below_would_bring_and_contacted_ones_do_not() -> None:
    leads, weight, _, come = _confounded()
    truth = come[leads.score < 0.5].sum()
    cuts = np.array([0.0, 0.5])
    told = curve(replace(leads, weight=weight), cuts)
    assert told["missed"].iloc[1] == pytest.approx(truth, rel=0.06)
    assert told["precision"].iloc[0] == pytest.approx(come.mean(), rel=0.04)
    fooled = curve(leads, cuts)
    assert fooled["missed_upper"].iloc[1] > 1.2 * truth
    assert fooled["missed"].iloc[1] < 0.9 * truth


def test_a_study_uses_explored_leads_once_there_are_enough(scored) -> None:
    ids = scored.leads["lead_id"].to_numpy()
    mine = drawn(ids, 0.2, 0)
    log = ExploreLog(frozenset(ids[mine]), np.datetime64("2023-01-01", "s"), 0.3, "p", 0.2)
    made = studied(scored, Asked(Terms(30.0, 400.0), log=log))
    assert made.explored
    assert {"EXPLORED"} <= {f.code for f in findings_of(made)}
    leads = made.leads["p"][ALL]
    assert leads.as_of.min() >= np.datetime64("2023-01-01")
    assert set(leads.weight) == {0.0, 1.0, 5.0}
    assert (leads.weight[leads.score >= 0.3] == 1).all()
    few = replace(log, ids=frozenset(list(log.ids)[:20]))
    young = studied(scored, Asked(Terms(30.0, 400.0), log=few))
    assert not young.explored
    assert {"EXPLORED-TOO-FEW", "VALUE-IS-ASSOCIATION"} <= {f.code for f in findings_of(young)}


def test_what_was_written_is_read(made, tmp_path: Path) -> None:
    rows = explore_rows(made, 0.5)
    rows.to_csv(tmp_path / "explore.csv", index=False)
    log = read_log(tmp_path / "explore.csv")
    assert log.ids == set(rows["lead_id"])
    assert (log.share, log.scale, log.threshold) == (0.5, "p", rows["threshold"].max())
    assert log.since == rows["as_of"].to_numpy().min()


@pytest.mark.parametrize("text", ["", "lead_id\n1\n", "lead_id,as_of,scale,threshold,score,share,seed\n"])
def test_a_file_that_is_no_log_is_refused(text: str, tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text(text)
    with pytest.raises(DataError, match="explored"):
        read_log(tmp_path / "x.csv")


def test_a_log_of_two_shares_is_refused(made, tmp_path: Path) -> None:
    rows = explore_rows(made, 1.0)
    pd.concat([rows, rows.assign(share=0.5)]).to_csv(tmp_path / "x.csv", index=False)
    with pytest.raises(DataError, match="one share"):
        read_log(tmp_path / "x.csv")

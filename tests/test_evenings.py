"""Kept evenings: a grown history gives the same snapshots as from scratch; a changed or damaged past is never used."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from pipeforecast import snapshot as rewinding
from pipeforecast.evenings import KeptEvenings
from pipeforecast.history import DealHistory
from pipeforecast.snapshot import Snapshot, take_snapshots

GAP = pd.Timedelta(days=45)


@pytest.fixture(scope="module")
def days(company_history: DealHistory) -> list[pd.Timestamp]:
    last = company_history.written_until.normalize()
    return [last - k * GAP for k in range(7, -1, -1)]


@pytest.fixture(scope="module")
def scratch(company_history: DealHistory, days: list[pd.Timestamp]) -> Snapshot:
    return take_snapshots(company_history, days)


@pytest.fixture
def taken(monkeypatch: pytest.MonkeyPatch) -> list[list[pd.Timestamp]]:
    """Days of each query that is run."""
    asked: list[list[pd.Timestamp]] = []
    rewound = rewinding._rewound

    def watched(history: DealHistory, states: pd.DataFrame, wanted: np.ndarray, whole: np.ndarray) -> pd.DataFrame:
        asked.append([pd.Timestamp(d) for d in wanted])
        return rewound(history, states, wanted, whole)

    monkeypatch.setattr(rewinding, "_rewound", watched)
    return asked


def keeping(history: DealHistory, folder: Path, **about: object) -> DealHistory:
    return dataclasses.replace(history, kept=KeptEvenings(folder, **about))


def assert_same(one: Snapshot, other: Snapshot) -> None:
    pd.testing.assert_frame_equal(one.open, other.open)
    pd.testing.assert_frame_equal(one.closings, other.closings)


def test_a_history_that_has_grown_is_rewound_for_its_new_days_alone(
    company_history: DealHistory, days: list[pd.Timestamp], scratch: Snapshot, taken: list, tmp_path: Path
) -> None:
    before = company_history.known_by(days[-3])
    assert_same(take_snapshots(keeping(before, tmp_path), days[:-2]), take_snapshots(before, days[:-2]))
    taken.clear()
    assert_same(take_snapshots(keeping(company_history, tmp_path), days), scratch)
    assert taken == [days[-2:]]
    assert_same(take_snapshots(keeping(company_history, tmp_path), days), scratch)
    assert taken == [days[-2:]]


def test_other_keys_and_places_of_the_same_deals_use_what_is_kept(
    company_history: DealHistory, days: list[pd.Timestamp], taken: list, tmp_path: Path
) -> None:
    """The next export may name its deals in another order: keys are places, and differ."""
    take_snapshots(keeping(company_history, tmp_path), days)
    n = len(company_history.deals)
    key = pd.Series(np.random.default_rng(3).permutation(n), index=company_history.deals.index)
    states = company_history.states
    states = states.assign(deal=key.reindex(states["deal"]).to_numpy(), seq=states["seq"] + 1000)
    moved = dataclasses.replace(
        company_history,
        deals=company_history.deals.set_axis(key.to_numpy()).sort_index(),
        states=states.sort_values(["deal", "recorded_at", "seq"], ignore_index=True),
    )
    fresh = take_snapshots(moved, days)
    taken.clear()
    assert_same(take_snapshots(keeping(moved, tmp_path), days), fresh)
    assert taken == []


@pytest.mark.parametrize("what", ["amount", "stage", "owner", "expected_close", "gone", "written earlier"])
def test_a_corrected_past_is_taken_again_from_that_day_on(
    company_history: DealHistory, days: list[pd.Timestamp], taken: list, tmp_path: Path, what: str
) -> None:
    take_snapshots(keeping(company_history, tmp_path), days)
    changed = corrected(company_history, days[4], what)
    fresh = take_snapshots(changed, days)
    taken.clear()
    assert_same(take_snapshots(keeping(changed, tmp_path), days), fresh)
    (again,) = taken
    assert again == days[len(days) - len(again) :]
    assert set(days[4:]) <= set(again)
    assert what == "gone" or again == days[4:]


def corrected(history: DealHistory, day: pd.Timestamp, what: str) -> DealHistory:
    """Change one row that was written in the weeks before the evening of ``day`` and after the evening before."""
    states = history.states.reset_index(drop=True)
    written = states["recorded_at"]
    inside = (written >= day - GAP + pd.Timedelta(days=2)) & (written < day) & (states["status"] == "open")
    at = int(np.flatnonzero(inside.to_numpy())[0])
    if what == "gone":
        return dataclasses.replace(history, states=states[states["deal"] != states["deal"][at]])
    value = {
        "amount": 1.25, "stage": "Demo" if states["stage"][at] != "Demo" else "Proposal", "owner": "somebody else",
        "expected_close": day + pd.Timedelta(days=400), "written earlier": written[at] - pd.Timedelta(seconds=1),
    }[what]  # fmt: skip
    column = "recorded_at" if what == "written earlier" else what
    states.loc[at, column] = value
    return dataclasses.replace(history, states=states.sort_values(["deal", "recorded_at", "seq"]))


def test_a_sample_of_deals_is_taken_anew_and_never_kept(
    company_history: DealHistory, days: list[pd.Timestamp], taken: list, tmp_path: Path
) -> None:
    history, some = keeping(company_history, tmp_path), company_history.deals.index.to_numpy()[::3]
    take_snapshots(history, days)
    files = sorted(tmp_path.rglob("*.parquet"))
    taken.clear()
    assert_same(take_snapshots(history, days, some, days[-1:]), take_snapshots(company_history, days, some, days[-1:]))
    assert taken == [days, days]
    assert sorted(tmp_path.rglob("*.parquet")) == files


def test_touches_are_counted_anew(
    company_history: DealHistory, days: list[pd.Timestamp], taken: list, tmp_path: Path
) -> None:
    take_snapshots(keeping(company_history, tmp_path), days)
    touches = company_history.tables["touches"]
    fewer = dataclasses.replace(company_history, tables={**company_history.tables, "touches": touches.iloc[::2]})
    fresh = take_snapshots(fewer, days)
    taken.clear()
    assert_same(take_snapshots(keeping(fewer, tmp_path), days), fresh)
    assert taken == []


def test_another_code_and_other_places_of_stages_use_nothing(
    company_history: DealHistory, days: list[pd.Timestamp], taken: list, tmp_path: Path
) -> None:
    take_snapshots(keeping(company_history, tmp_path, code="one"), days)
    taken.clear()
    take_snapshots(keeping(company_history, tmp_path, code="two"), days)
    turned = company_history.stages.assign(position=-company_history.stages["position"])
    other = dataclasses.replace(company_history, stages=turned)
    assert_same(take_snapshots(keeping(other, tmp_path, code="one"), days), take_snapshots(other, days))
    assert taken == [days, days, days]


@pytest.mark.parametrize("damage", ["cut", "flipped", "empty", "another evening's"])
def test_a_damaged_file_is_said_removed_and_taken_again(
    company_history: DealHistory, days: list[pd.Timestamp], scratch: Snapshot, taken: list, tmp_path: Path,
    damage: str, capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    history = keeping(company_history, tmp_path)
    take_snapshots(history, days)
    (path,) = tmp_path.glob(f"as_of={days[2].date()}/*.parquet")
    whole = path.read_bytes()
    (other,) = tmp_path.glob(f"as_of={days[3].date()}/*.parquet")
    flipped = bytearray(whole)
    flipped[len(whole) // 2] ^= 1
    written = {"cut": whole[:-7], "flipped": bytes(flipped), "empty": b"", "another evening's": other.read_bytes()}
    path.write_bytes(written[damage])
    taken.clear()
    assert_same(take_snapshots(history, days), scratch)
    assert taken == [[days[2]]]
    assert f"{path}: cannot be read" in capsys.readouterr().err
    assert path.read_bytes() == whole


def test_the_folder_stays_within_its_bound_and_the_longest_unused_go(
    company_history: DealHistory, days: list[pd.Timestamp], scratch: Snapshot, taken: list, tmp_path: Path
) -> None:
    take_snapshots(keeping(company_history, tmp_path), days)
    size = sum(p.stat().st_size for p in tmp_path.rglob("*.parquet"))
    take_snapshots(keeping(company_history, tmp_path), days[:2])  # used last
    small = keeping(company_history, tmp_path, most_mb=size * 0.7 / 1e6)
    assert_same(take_snapshots(small, [*days, days[-1] - pd.Timedelta(days=1)]).only(days), scratch)
    left = list(tmp_path.rglob("*.parquet"))
    assert sum(p.stat().st_size for p in left) <= size * 0.7
    assert len(left) >= 2


def test_a_place_that_cannot_be_written_costs_nothing_but_a_word(
    company_history: DealHistory, days: list[pd.Timestamp], scratch: Snapshot, tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    (tmp_path / "file").write_text("in the way")
    assert_same(take_snapshots(keeping(company_history, tmp_path / "file"), days), scratch)
    assert "cannot be kept there" in capsys.readouterr().err
    assert not list(tmp_path.glob("*.draft"))


def test_an_evening_without_open_deals_is_kept_too(
    company_history: DealHistory, days: list[pd.Timestamp], taken: list, tmp_path: Path
) -> None:
    ages_ago = pd.Timestamp("1990-01-01")
    for wanted in ([ages_ago], [ages_ago], [ages_ago, days[-1]]):
        found = take_snapshots(keeping(company_history, tmp_path), wanted)
        assert_same(found, take_snapshots(company_history, wanted))
    assert taken == [[ages_ago], [ages_ago], [ages_ago], [days[-1]], [ages_ago, days[-1]]]

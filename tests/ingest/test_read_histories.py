"""The same story, told in different ways, is the same history."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st

from pipeforecast.errors import DataError, MissingFileError
from pipeforecast.ingest import read_export

STAGES = "stage,kind,position\nQualify,open,1\nPropose,open,2\nWon,won,3\nLost,lost,4\n"
FACTS = ["stage", "amount", "expected_close", "outcome", "closed_at"]
START = pd.Timestamp("2024-01-01")


def day(offset: int) -> str:
    return (START + pd.Timedelta(days=offset)).date().isoformat()


def rows_of(deal: int, created: int, moves: list[tuple[int, str, int, int]]) -> list[dict[str, str]]:
    """Whole states of a deal; a closing keeps the expected day that was last written."""
    out, at, expected = [], created, ""
    for wait, stage, amount, ahead in moves:
        at += wait if out else 0
        is_open = stage in ("Qualify", "Propose")
        expected = day(at + ahead) if is_open else expected
        outcome = "open" if is_open else stage.casefold()
        closed = "" if is_open else day(at)
        facts = {"stage": stage, "amount": str(amount), "expected_close": expected, "outcome": outcome,
                 "closed_at": closed}  # fmt: skip
        if not out or any(out[-1][k] != v for k, v in facts.items()):  # a log of fields cannot tell of no change
            out.append({"deal_id": f"d{deal:03d}", "changed_at": day(at), **facts})
    return out


MOVE = st.tuples(st.integers(1, 30), st.sampled_from(["Qualify", "Propose"]), st.integers(1, 9), st.integers(0, 60))
END = st.tuples(st.integers(1, 30), st.sampled_from(["Won", "Lost"]), st.integers(1, 9), st.just(0))
STORY = st.builds(lambda c, m, e: (c, m + e), st.integers(0, 40), st.lists(MOVE, min_size=1, max_size=4),
                  st.lists(END, max_size=1))  # fmt: skip


def write(folder, wide: pd.DataFrame, way: str) -> None:
    today = wide.drop_duplicates("deal_id", keep="last").drop(columns="changed_at")
    created = wide.drop_duplicates("deal_id").set_index("deal_id")["changed_at"]
    today = today.assign(created_at=today["deal_id"].map(created))
    (folder / "stages.csv").write_text(STAGES)
    if way == "exports":
        for at in sorted(set(wide["changed_at"])):
            known = wide[wide["changed_at"] <= at].drop_duplicates("deal_id", keep="last").drop(columns="changed_at")
            (folder / at).mkdir()
            known.assign(created_at=known["deal_id"].map(created)).to_csv(folder / at / "deals.csv", index=False)
        return
    today.to_csv(folder / "deals.csv", index=False)
    if way == "wide":
        wide.to_csv(folder / "changes.csv", index=False)
    else:
        before = wide.groupby("deal_id")[FACTS].shift()
        long = wide.melt(["deal_id", "changed_at"], FACTS, "field", ignore_index=False)
        new = (wide[FACTS] != before).melt(ignore_index=False)["value"].to_numpy()
        long[new].sort_index(kind="stable").to_csv(folder / "changes.csv", index=False)


@settings(
    max_examples=20,
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(stories=st.lists(STORY, min_size=1, max_size=6))
@example(stories=[(32, [(22, "Qualify", 1, 55), (1, "Qualify", 1, 54)])])
def test_whole_rows_single_fields_and_dated_exports_tell_the_same(stories, tmp_path_factory, shipped, told):
    wide = pd.DataFrame([row for i, (created, moves) in enumerate(stories) for row in rows_of(i, created, moves)])
    found = {}
    for way in ("wide", "long", "exports"):
        folder = tmp_path_factory.mktemp(way)
        write(folder, wide, way)
        found[way] = read_export(shipped("generic"), folder)
    if len(set(wide["changed_at"])) == 1:  # a single dated export is just an export
        del found["exports"]
    wanted = told(found["wide"])
    for way, export in found.items():
        columns = ["deal_id", "recorded_at", "status", "closed_at", "stage", "amount", "expected_close"]
        pd.testing.assert_frame_equal(told(export)[columns], wanted[columns], obj=way)
        assert export.history.written_until == wanted["recorded_at"].max()
        assert export.history.has_stage_history
        assert export.tie["used_count"].sum() == len(stories)


def test_states_are_complete_sorted_and_open_ones_have_no_closing_day(read):
    export = read("generic", {
        "stages.csv": STAGES,
        "deals.csv": "deal_id,created_at,closed_at,outcome,amount,stage\n1,2024-01-01,2024-03-31,won,50,Won\n"
                     "2,2024-02-01,,open,20,Propose\n",
        "changes.csv": "deal_id,changed_at,recorded_at,stage,amount,closed_at\n"
                       "1,2024-01-01,,Qualify,10,\n1,2024-02-01,,Lost,10,2024-02-01\n1,2024-02-05,,Qualify,40,\n"
                       "1,2024-03-31,2024-04-03,Won,50,2024-03-31\n2,2024-02-01,,Propose,20,\n",
    })  # fmt: skip
    states = export.history.states
    assert states["status"].tolist() == ["open", "lost", "open", "won", "open"]  # reopening is legal
    assert states["closed_at"].dt.strftime("%m-%d").fillna("").tolist() == ["", "02-01", "", "03-31", ""]
    assert states["recorded_at"].iloc[3] == pd.Timestamp("2024-04-03")  # written late, true on its own day
    assert states["seq"].is_monotonic_increasing
    assert export.history.written_until == pd.Timestamp("2024-04-03")
    early = export.history.known_by(pd.Timestamp("2024-04-01"))
    assert early.latest()["status"].tolist() == ["open", "open"]


def test_rows_of_one_second_keep_their_place_in_the_file_even_if_it_is_written_newest_first(read):
    rows = ["1,2024-01-01,stage,Qualify", "1,2024-02-01,stage,Propose", "1,2024-02-01,stage,Qualify",
            "1,2024-03-01,amount,7"]  # fmt: skip
    deals = "deal_id,created_at,closed_at,outcome,amount,stage\n1,2024-01-01,,open,7,Qualify\n"
    for order in (rows, rows[::-1]):
        export = read("generic", {"stages.csv": STAGES, "deals.csv": deals,
                                  "changes.csv": "deal_id,changed_at,field,value\n" + "\n".join(order)})  # fmt: skip
        assert export.history.latest()["stage"].tolist() == ["Qualify"]
        assert not [f for f in export.findings if f.code == "LOG-DISAGREES-WITH-TODAY"]


def test_without_a_log_the_past_is_unknown_but_for_birth_facts(read, shipped):
    roles = {"birth": ["owner"], "today": []}
    export = read("generic", {
        "stages.csv": STAGES,
        "deals.csv": "deal_id,created_at,closed_at,outcome,amount,stage,owner\n1,2024-01-01,2024-02-01,won,50,Won,a\n"
                     "2,2024-01-05,,open,20,Propose,b\n",
    }, roles=roles)  # fmt: skip
    states = export.history.states
    assert states["status"].tolist() == ["open", "won", "open", "open"]
    assert states["stage"].fillna("?").tolist() == ["?", "Won", "?", "Propose"]
    assert states["amount"].fillna(-1).tolist() == [-1, 50, -1, 20]
    assert states["owner"].tolist() == ["a", "a", "b", "b"]
    assert states["recorded_at"].iloc[3] == export.history.written_until == pd.Timestamp("2024-02-01")
    assert export.history.roles["amount"] == "today"
    assert not export.history.has_stage_history


def test_today_wins_over_birth(read):
    deals = "deal_id,created_at,closed_at,outcome,amount\n1,2024-01-01,2024-02-01,won,50\n"
    birth = read("generic", {"deals.csv": deals}, roles={"birth": ["amount"], "today": []})
    assert birth.history.states["amount"].tolist() == [50, 50]
    both = read("generic", {"deals.csv": deals}, roles={"birth": ["amount"], "today": ["amount"]})
    assert both.history.states["amount"].fillna(0).tolist() == [0, 50]


def test_log_that_disagrees_with_today_gets_a_last_state_and_a_finding(read):
    export = read("generic", {
        "stages.csv": STAGES,
        "deals.csv": "deal_id,created_at,closed_at,outcome,amount,stage,modified_at\n"
                     "1,2024-01-01,,open,20,Propose,2024-01-20 10:00:00\n2,2024-01-01,,open,5,Qualify,2024-01-01\n"
                     "3,2024-01-01,2024-01-09,lost,5,Lost,2024-01-09\n",
        "changes.csv": "deal_id,changed_at,stage,amount\n1,2024-01-01,Qualify,20\n2,2024-01-01,Qualify,5\n"
                       "zz,2024-01-01,Qualify,5\n",
    })  # fmt: skip
    found = {f.code: f for f in export.findings}
    assert found["LOG-DISAGREES-WITH-TODAY"].examples == ("1",)
    assert found["NO-LOG-ROWS"].examples == ("3",)
    assert found["LOG-ROWS-WITHOUT-DEAL"].examples == ("zz",)
    states = export.history.states.query("deal == 0")
    assert states["stage"].tolist() == ["Qualify", "Propose"]
    assert states["recorded_at"].tolist() == [pd.Timestamp("2024-01-01"), pd.Timestamp("2024-01-20 10:00")]
    assert export.history.states.query("deal == 2")["status"].tolist() == ["open", "lost"]


def test_vanished_deals_are_named_and_not_forecast(read):
    head = "deal_id,created_at,closed_at,outcome,amount,stage\n"
    one, two = "1,2024-01-01,,open,20,Qualify\n", "2,2024-01-02,,open,5,Qualify\n"
    export = read("generic", {"stages.csv": STAGES, "deals_2024-01-05.csv": head + one + two,
                              "deals_2024-01-12.csv": head + one, "deals_2024-01-19.csv": head + one})  # fmt: skip
    assert {f.code: f.examples for f in export.findings}["DEALS-VANISHED"] == ("2",)
    latest = export.history.latest()
    assert latest["status"].tolist() == ["open", "lost"]
    assert latest["closed_at"].iloc[1] == pd.Timestamp("2024-01-12")
    assert export.history.written_until == pd.Timestamp("2024-01-19")


def test_closed_deals_of_the_first_export_closed_on_their_own_day(read):
    head = "deal_id,created_at,closed_at,outcome,amount,stage\n"
    rows = "1,2023-01-01,2023-05-01,won,20,Won\n2,2024-01-02,,open,5,Qualify\n"
    export = read("generic", {"stages.csv": STAGES, "2024-02-01/deals.csv": head + rows,
                              "2024-02-08/deals.csv": head + rows.replace("Qualify", "Propose")})  # fmt: skip
    states = export.history.states
    assert states["recorded_at"].dt.strftime("%y%m%d").tolist() == ["230101", "230501", "240102", "240201", "240208"]
    assert states["stage"].fillna("?").tolist() == ["?", "Won", "?", "Qualify", "Propose"]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (("Qualify\n", "Quality\n"), ["Quality", "Qualify", "crm.stages"]),
        (("open", "pending"), ["pending", "crm.status"]),
        (("amount", "amounts"), ["'amount'", "'amounts'"]),
        ((",20,", ",twenty,"), ["twenty", "row 2", "numbers.decimal"]),
    ],
)
def test_errors_say_what_came_and_what_to_do(read, change, words):
    deals = "deal_id,created_at,closed_at,outcome,amount,stage\n1,2024-01-01,,open,20,Qualify\n"
    with pytest.raises(DataError) as caught:
        read("generic", {"stages.csv": STAGES, "deals.csv": deals.replace(*change)})
    for word in words:
        assert word in str(caught.value)


def test_a_missing_file_says_what_is_there(read, tmp_path):
    with pytest.raises(MissingFileError, match=r"'deals' is expected.*stages\.csv"):
        read("generic", {"stages.csv": STAGES})


def test_odd_rows_are_mended_or_excluded_never_lost(read):
    export = read("generic", {
        "stages.csv": STAGES,
        "deals.csv": "deal_id,created_at,closed_at,outcome,amount,probability\n"
                     "a,2024-01-10,2024-01-05,won,1.10,0.5\n"  # closed before it was created
                     "b,2024-01-10,,won,2.20,\n"  # won, nobody knows when
                     "c,2024-01-10,,open,-3.30,50\n"  # negative, a percentage
                     "d,2024-01-10,,open,4.40,\nd,2024-01-11,,open,5.50,\n"  # one id, two rows
                     "e,,,open,6.60,\n,2024-01-10,,open,7.70,\n",
    })  # fmt: skip
    codes = {f.code: f.count for f in export.findings}
    for code in ("CLOSED-BEFORE-CREATED", "CLOSED-WITHOUT-DATE", "AMOUNT-NEGATIVE", "PROBABILITY-OUT-OF-RANGE",
                 "DUPLICATE-ID", "CREATED-DATE-MISSING", "NO-DEAL-ID"):  # fmt: skip
        assert codes[code] == 1, code
    assert export.excluded["reason"].tolist() == ["CLOSED-WITHOUT-DATE", "DUPLICATE-ID", "NO-DEAL-ID"]
    assert export.tie[["raw_count", "used_count", "excluded_count"]].sum().tolist() == [7, 4, 3]
    history = export.history
    assert history.states["probability"].isna().all() or history.states["probability"].max() <= 1
    late = history.states[history.states["deal"] == 0]
    assert late["status"].tolist() == ["open", "won"]
    assert late["recorded_at"].iloc[0] == late["recorded_at"].iloc[1]  # never seen open, nor known before
    created = history.deals.set_index("deal_id")["created_at"]
    assert created["e"] == history.written_until


def test_money_in_several_currencies_needs_rates(read):
    files = {
        "deals.csv": "deal_id,created_at,closed_at,outcome,amount,currency\n1,2024-01-10,2024-02-01,won,10,USD\n"
                     "2,2024-01-10,,open,10,EUR\n",
    }  # fmt: skip
    with pytest.raises(DataError, match=r"crm\.currency"):
        read("generic", files)
    rates = {"rates.csv": "currency,day,rate\nUSD,2024-01-01,0.5\nUSD,2024-02-01,99\n"}
    export = read("generic", files | rates, currency="EUR")
    assert export.history.deals["amount"].tolist() == [5, 10]
    assert export.history.states["amount"].max() == 10


def test_other_tables_are_read_by_the_same_expressions(read):
    export = read("generic", {
        "deals.csv": "deal_id,created_at,closed_at,outcome,amount\n1,2024-01-10,2024-02-01,won,10\n",
        "leads.csv": "lead_id,created_at,mql_at\nL1,2024-01-02,2024-01-03\n,2024-01-02,\n",
        "touches.csv": "at,kind,lead_id\n2024-01-02T10:11:12Z,called,L1\n",
    })  # fmt: skip
    tables = export.history.tables
    assert tables["leads"]["mql_at"].tolist() == [pd.Timestamp("2024-01-03")]
    assert tables["touches"]["at"].to_numpy()[0] == np.datetime64("2024-01-02T10:11:12", "s")
    assert {f.code for f in export.findings} >= {"ROWS-INCOMPLETE", "TABLE-NOT-THERE"}

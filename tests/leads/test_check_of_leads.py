"""``check`` of an export that has leads and no deals."""

from __future__ import annotations

import pandas as pd

from pipeforecast.cli import main


def test_leads_alone_are_checked(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    head = "age;job;marital;education;default;balance;housing;loan;contact;day;month;duration;campaign;pdays;previous;"
    rows = [f"{30 + i % 9};services;single;primary;no;{i};yes;no;cellular;5;may;{i % 50};1;-1;0;unknown;"
            f"{'yes' if i % 5 else 'no'}" for i in range(300)]  # fmt: skip
    (tmp_path / "bank.csv").write_text("\n".join([head + "poutcome;y", *rows]) + "\n", encoding="utf-8")
    assert main(["check", "crm=bank_marketing", "source=bank.csv"]) == 0
    assert capsys.readouterr().out.startswith("300 leads read; there are no deals in crm=bank_marketing")
    findings = pd.read_csv(tmp_path / "out/findings.csv")
    assert findings.loc[findings["code"] == "LEAK-NAME", "column"].tolist() == ["duration"]
    assert "LEADS-WITHOUT-DATES" in set(findings["code"])
    whole = pd.read_csv(tmp_path / "out/rows.csv").set_index("table")
    assert whole.loc["leads", ["rows", "used", "excluded"]].tolist() == [300, 300, 0]
    assert list(pd.read_csv(tmp_path / "out/tie.csv")) == [
        "pipeline", "status", "raw_count", "raw_amount", "used_count", "used_amount", "excluded_count",
        "excluded_amount",
    ]  # fmt: skip

"""What a decent simple model sees: recorded columns of open deals on an evening, read from the raw tables alone."""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from pipeforecast.demo import Company


def recorded(company: Company, days: list[int]) -> pd.DataFrame:
    """One row an open deal and day (number since the start), with numeric features; index (day, Id)."""
    tables = company.tables
    stages = tables["OpportunityStage"]
    rank = dict(zip(stages["MasterLabel"], stages["SortOrder"], strict=True))
    n_open = int((stages["IsClosed"] == "false").sum())
    history = tables["OpportunityHistory"]
    rows = pd.DataFrame(
        {
            "Id": history["OpportunityId"],
            "at": _days(company.start, history["CreatedDate"]),
            "stage": history["StageName"].map(rank).astype(int),
            "amount": history["Amount"],
            "due": _days(company.start, history["CloseDate"]),
            "probability": history["Probability"].astype(float),
            "category": history["ForecastCategory"].astype(str),
        }
    )
    by_deal = rows.groupby("Id", sort=False)
    rows["moved"] = by_deal["stage"].diff().fillna(1).ne(0)
    rows["stage_at"] = rows["at"].where(rows["moved"]).groupby(rows["Id"], sort=False).ffill()
    rows["pushes"] = by_deal["due"].diff().gt(0).groupby(rows["Id"], sort=False).cumsum()
    birth = tables["Opportunity"].set_index("Id")[["Type", "Segment__c", "Product__c", "LeadSource"]].astype(str)
    born = by_deal["at"].first()
    task = tables["Task"].dropna(subset=["WhatId"])
    tasks = pd.DataFrame({"Id": task["WhatId"], "at": _days(company.start, task["ActivityDate"])})
    return pd.concat([_on(day, rows, n_open, birth, born, tasks) for day in days])


def _days(start: date, written: pd.Series) -> pd.Series:
    return (pd.to_datetime(written.str[:10]) - pd.Timestamp(start)).dt.days


def _on(
    day: int, rows: pd.DataFrame, n_open: int, birth: pd.DataFrame, born: pd.Series, tasks: pd.DataFrame
) -> pd.DataFrame:
    last = rows[rows["at"] <= day].groupby("Id", sort=False).last()
    last = last[last["stage"] <= n_open]
    age = day - born.loc[last.index]
    past = tasks[tasks["at"] <= day].groupby("Id")["at"]
    recent = tasks[(tasks["at"] <= day) & (tasks["at"] > day - 30)].groupby("Id").size()
    quiet = (day - past.max()).reindex(last.index)
    wait = last["due"] - day
    table = pd.DataFrame(
        {
            "age": np.log1p(age),
            "age2": np.log1p(age) ** 2,
            "amount": np.log1p(last["amount"].fillna(0)),
            "amount_missing": last["amount"].isna(),
            "overdue": wait < 0,
            "due_soon": (wait >= 0) & (wait <= 92),
            "wait": np.sign(wait) * np.log1p(wait.abs()),
            "in_stage": np.log1p(day - last["stage_at"]),
            "probability": last["probability"],
            "pushes": np.log1p(last["pushes"]),
            "quiet": np.log1p(quiet.fillna(age)),
            "busy": np.log1p(recent.reindex(last.index).fillna(0)),
        }
    )
    kinds = pd.concat([last[["stage", "category"]].astype(str), birth.loc[last.index]], axis=1)
    table = pd.concat([table, pd.get_dummies(kinds)], axis=1).astype(float)
    table["busy_late"] = table["busy"] * last["stage"]
    table.index = pd.MultiIndex.from_product([[day], table.index], names=["day", "Id"])
    return table


def simple_scores(train: pd.DataFrame, won: np.ndarray, test: pd.DataFrame) -> np.ndarray:
    """A logistic regression's probabilities for the test rows."""
    columns = [name for name in train.columns if name in test.columns]
    model = make_pipeline(StandardScaler(), LogisticRegression(C=0.3, max_iter=1000))
    model.fit(train[columns].fillna(0), won)
    return model.predict_proba(test[columns].fillna(0))[:, 1]

"""The floor: what the same work costs in plain SQL and one logistic regression, without anything that makes it right.

DuckDB reads the export's files, lays 49 month ends over the history, and gives 22 columns of every deal that was open
then and whether it was won within 91 days; scikit-learn fits a logistic regression (lbfgs, 200 iterations) on a fixed
sample of 300,000 rows. No currencies, no calendars, no censoring, no check of anything. It is frozen: its seconds are
the unit in which others are told, so it is not made faster or slower afterwards.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import duckdb
import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

MONTHS = 49
ROWS = 300_000

QUERY = """
WITH deals AS (
    SELECT Id AS deal, CreatedDate::TIMESTAMP AS created_at, Segment__c AS segment, IsWon AS won, IsClosed AS closed,
           CloseDate::DATE AS closed_on
    FROM read_csv('{folder}/Opportunity.csv') WHERE NOT IsDeleted
), log AS (
    SELECT OpportunityId AS deal, CreatedDate::TIMESTAMP AS told, row_number() OVER () AS seq, StageName AS stage,
           Amount AS amount, CloseDate::DATE AS due, Probability AS probability
    FROM read_csv('{folder}/OpportunityHistory.csv')
), stepped AS (
    SELECT *, lead(told) OVER w AS until, stage <> lag(stage) OVER w AS moved,
           greatest(date_diff('day', lag(due) OVER w, due), 0) AS pushed, amount <> lag(amount) OVER w AS repriced
    FROM log WINDOW w AS (PARTITION BY deal ORDER BY told, seq)
), states AS (
    SELECT deal, told, until, stage, amount, due, probability,
           max(CASE WHEN moved OR moved IS NULL THEN told END) OVER w AS entered,
           sum(moved::INT) OVER w AS moves, sum((pushed > 0)::INT) OVER w AS pushes, sum(pushed) OVER w AS push_days,
           sum(repriced::INT) OVER w AS repricings, first(amount) OVER w AS first_amount, first(due) OVER w AS first_due
    FROM stepped WINDOW w AS (PARTITION BY deal ORDER BY told, seq)
), days AS (
    SELECT (date_trunc('month', DATE '{last}') - INTERVAL (i) MONTH - INTERVAL 1 DAY)::DATE AS as_of
    FROM range({months}) t(i)
), touches AS (
    SELECT WhatId AS deal, CreatedDate::TIMESTAMP AS told FROM read_csv('{folder}/Task.csv') WHERE WhatId IS NOT NULL
), touched AS (
    SELECT deal, told, row_number() OVER (PARTITION BY deal ORDER BY told) AS n FROM touches
), seen AS (
    SELECT d.as_of, s.*, o.created_at, o.segment, (o.won AND o.closed_on <= d.as_of + 91)::INT AS y
    FROM states s JOIN days d ON s.told < d.as_of + 1 AND (s.until IS NULL OR s.until >= d.as_of + 1)
    JOIN deals o USING (deal) WHERE s.stage NOT IN ('Closed Won', 'Closed Lost')
)
SELECT date_diff('day', s.created_at, s.as_of) AS age, date_diff('day', entered, s.as_of) AS in_stage,
       date_diff('day', s.told, s.as_of) AS since_change, ln(1 + coalesce(amount, 0)) AS amount,
       (amount IS NULL)::INT AS no_amount, coalesce(probability, 0) AS probability,
       date_diff('day', s.as_of, due) AS to_due, (due < s.as_of)::INT AS overdue,
       coalesce(moves, 0) AS moves, coalesce(pushes, 0) AS pushes, coalesce(push_days, 0) AS push_days,
       coalesce(repricings, 0) AS repricings, coalesce(amount - first_amount, 0) AS amount_change,
       date_diff('day', first_due, due) AS due_change, coalesce(t.n, 0) AS touches,
       coalesce(date_diff('day', t.told, s.as_of), 999) AS since_touch, (s.stage = 'Discovery')::INT AS s1,
       (s.stage = 'Qualification')::INT AS s2, (s.stage = 'Demo')::INT AS s3, (s.stage = 'Proposal')::INT AS s4,
       (s.segment = 'SMB')::INT AS smb, (s.segment = 'Enterprise')::INT AS enterprise, y
FROM seen s ASOF LEFT JOIN touched t ON s.deal = t.deal AND s.as_of + 1 > t.told
"""


def floor(folder: Path, last: str = "2025-01-01") -> dict[str, float]:
    """Seconds of the snapshots and of the fit, rows seen."""
    began = time.perf_counter()
    with duckdb.connect() as con:
        found = con.execute(QUERY.format(folder=folder, last=last, months=MONTHS)).fetchnumpy()
    y = np.asarray(found.pop("y"))
    x = np.column_stack([np.ma.filled(v.astype("float64"), 0.0) for v in found.values()])
    seen = time.perf_counter()
    keep = np.sort(np.random.default_rng(7).permutation(len(y))[:ROWS])
    LogisticRegression(max_iter=200).fit(StandardScaler().fit_transform(x[keep]), y[keep])
    done = time.perf_counter()
    return {"rows": len(y), "snapshots_s": seen - began, "fit_s": done - seen, "all_s": done - began}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="export of a made-up company (demo), in Salesforce's form")
    for name, value in floor(parser.parse_args().folder).items():
        print(f"{name} {value:.2f}")


if __name__ == "__main__":
    main()

"""What stands beside a made-up report: calls, quotas, an audit, past chances, metrics, the days of the period."""

from __future__ import annotations

import numpy as np
import pandas as pd
from made import OWNERS, START, made_input

from pipeforecast.audit import Audit
from pipeforecast.audit.flags import FLAGS
from pipeforecast.audit.meant import FLAG_COLUMNS
from pipeforecast.forecast import QUANTILES
from pipeforecast.report.inputs import ReportInput

ADA, BJORN, CHEN, DOLORES = OWNERS


def calls_frame() -> pd.DataFrame:
    made_at = pd.Timestamp("2024-05-10T18:00")
    rows = [
        ("rep", "owner", ADA, ADA, made_at, 9e6),
        ("rep", "owner", BJORN, BJORN, made_at - pd.Timedelta(days=7), 1.2e6),
        ("manager", "owner", BJORN, CHEN, made_at, 1e5),
        ("executive", "total", "total", DOLORES, made_at, 4.1e6),
    ]
    return pd.DataFrame(rows, columns=["layer", "level", "group", "person", "made_at", "amount"])


def biases_frame() -> pd.DataFrame:
    none = np.nan
    rows = [("rep", BJORN, 12, 0.21, 0.05, 0.4, True), ("rep", DOLORES, 5, none, none, none, False)]
    return pd.DataFrame(rows, columns=["layer", "person", "n_periods", "bias", "lower", "upper", "flagged"])


def chances_frame(off: float = 1.0) -> pd.DataFrame:
    p = np.array([0.2, 0.05, 0.35])
    frame = pd.DataFrame({"bin": [0, 1, 2], "forecast": p, "observed": p * off, "n": [400, 200, 200]})
    return frame.assign(lower=frame["observed"] - 0.03, upper=frame["observed"] + 0.03)


def audit_made(name: str = "Nordwind: rollout") -> Audit:
    """Three open deals, two of them with a flag."""
    deals = pd.DataFrame({
        "deal_id": ["a", "b", "c"], "name": [name, None, "clean"], "owner": [ADA, BJORN, CHEN],
        "at_stake": [500.0, 300.0, 100.0], "flag": ["pushed", "no_amount", None],
        "flags": ["pushed; no_next_step", "no_amount", None], "advice": ["What has to happen?", "Worth?", None],
    })  # fmt: skip
    flags = pd.DataFrame(dict.fromkeys(FLAG_COLUMNS, np.nan), index=range(len(FLAGS)))
    flags = flags.assign(flag=list(FLAGS), title=[f.title for f in FLAGS.values()], open_deals=0, at_stake=0.0, n=0,
                         status="measured").set_index("flag", drop=False)  # fmt: skip
    flags.loc["pushed", ["open_deals", "at_stake", "win_rate", "lower", "upper", "n"]] = [1, 500.0, 0.2, 0.1, 0.3, 40]
    flags.loc["no_next_step", ["open_deals", "at_stake"]] = [1, 500.0]
    flags.loc["no_amount", ["open_deals", "at_stake"]] = [1, 300.0]
    flags.loc["criteria_missing", "status"] = "not available"
    none = pd.DataFrame()
    return Audit(deals, none, flags.reset_index(drop=True), none, none, none, [], 52)


def course_frame() -> pd.DataFrame:
    rows = [
        {"as_of": START + pd.Timedelta(days=d - 1), "day_of_period": d, "period": "2024Q2", "method": "model",
         "won": 1e5 * d, "mean": 4e6 + 1e4 * d} | {q: (4e6 + 1e4 * d) * (0.7 + 0.6 * s) for q, s in QUANTILES.items()}
        for d in (30, 0, 15)
    ]  # fmt: skip
    return pd.DataFrame(rows)


def won_frame() -> pd.DataFrame:
    rows = [
        ("2024Q2", 0, 0.0),
        ("2024Q2", 12, 9e5),
        ("2024Q2", 44, 1_412_300.55),
        ("2024Q1", 0, 0.0),
        ("2024Q1", 91, 5e5),
    ]
    return pd.DataFrame(rows, columns=["period", "day_of_period", "won"])


def whole(**changes: object) -> ReportInput:
    told = {"calls": calls_frame(), "biases": biases_frame(), "audit": audit_made(), "chances": chances_frame(),
            "course": course_frame(), "won_by_day": won_frame()}  # fmt: skip
    return made_input(**(told | changes))

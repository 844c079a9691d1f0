"""Fit hazardous' SurvivalBoost to rows.npz of a folder and write its chances to win, where hazardous is installed."""

import json
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
from hazardous import SurvivalBoost

folder = Path(sys.argv[1])
rows = np.load(folder / "rows.npz")
began = time.monotonic()
model = SurvivalBoost(n_iter=int(sys.argv[2]), show_progressbar=False, random_state=0)
model.fit(rows["x"], pd.DataFrame({"event": rows["cause"], "duration": rows["days"]}))
order = np.argsort(rows["ahead"])
incidence = model.predict_cumulative_incidence(rows["now"], times=rows["ahead"][order])
won = np.empty((len(rows["now"]), len(order)))
won[:, order] = np.asarray(incidence)[:, 1, :]
np.save(folder / "won.npy", won)
sys.stdout.write(json.dumps({"seconds": time.monotonic() - began}))

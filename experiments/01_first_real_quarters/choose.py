"""What was chosen on the hotels before 2016-07: should lessons age? Prints a row a half-life. See README.md."""

from __future__ import annotations

import os
from importlib.resources import files
from pathlib import Path

import numpy as np
import pandas as pd
import yaml

from pipeforecast.backtest import Lessonplan, lessons_at, prepare
from pipeforecast.fiscal import FiscalCalendar
from pipeforecast.ingest import read_export
from pipeforecast.mapping import CrmMapping
from pipeforecast.models.hazard import HazardModel
from pipeforecast.outcome import observe
from pipeforecast.scores import log_loss

DAYS = ["2015-12-31", "2016-01-30", "2016-02-29", "2016-03-31", "2016-04-30", "2016-05-30"]
LAST = pd.Timestamp("2016-06-30")


def main() -> None:
    """Score the open bookings of six days on what was known by the last of June 2016."""
    where = os.environ.get("PIPEFORECAST_REAL_DATA")
    if not where:
        said = f"log loss of due deals {np.mean(losses):.4f}, error of open money {np.mean(errors):.1%}"
        print(f"half-life {half_life:>5g}: {said}", flush=True)


if __name__ == "__main__":
    main()

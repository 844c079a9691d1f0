# ---
# jupyter:
#   jupytext:
#     formats: ipynb,py:percent
#     text_representation:
#       extension: .py
#       format_name: percent
#       format_version: '1.3'
#       jupytext_version: 1.19.6
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 5. Your own model
#
# A deal model of your own joins through the entry-point group `pipeforecast.models` and is judged like every other. The
# package `own_model` beside this notebook is one; `make notebooks` installs it (by hand:
# `pip install -e notebooks/own_model`).

# %%
from importlib.metadata import entry_points
from pathlib import Path

import pandas as pd
import plotly.express as px

from pipeforecast.demo import make_company
from pipeforecast.interactive import call

list(entry_points(group="pipeforecast.models"))

# %% [markdown]
# The whole of it: in each stage, deals are won and lost at constant rates a day.

# %%
print(Path("own_model/daily_rates.py").read_text())

# %%
make_company(n_deals=600).write("out/company")
company = ("crm=salesforce", "source=out/company", "crm.currency=USD", "tracking=off")
judged = ("origins.periods=4", "learning_curve=false")

# %% [markdown]
# ## Deal by deal
#
# The same past days, the same later data: the model of one's own, and the one that ships.

# %%
print(call("train", *company, *judged, "model=plugin", "model.name=daily_rates", "out=out/own"))

# %%
print(call("train", *company, *judged, "out=out/shipped"))

# %%
tables = [pd.read_csv(f"out/{folder}/evaluation.csv") for folder in ("own", "shipped")]
scores = pd.concat(tables).drop_duplicates(["model", "split", "score"]).query("split == 'later periods'")
px.bar(scores.query("score == 'log_loss'"), x="value", y="model", title="Log loss on later periods (less is better)")

# %% [markdown]
# Its options are the fields of its recipe: how far stages borrow from each other, here.

# %%
print(
    call(
        "train", *company, *judged, "model=plugin", "model.name=daily_rates", "+model.options.days=200", "out=out/freer"
    )
)

# %% [markdown]
# ## The quarter
#
# Amounts, new business, the shared shock, the replay and the rules are the program's own.

# %%
own = ("model=plugin", "model.name=daily_rates", "version=fit")
print(call("forecast", *company, *own, "proof=full", "origins.periods=2", "draws=300", "out=out/own_quarter"))

# %%
forecast = pd.read_csv("out/own_quarter/forecast.csv")
first = forecast["period"].eq(forecast["period"][0]) & forecast["method"].eq(forecast["method"][0])
px.bar(
    forecast[first & forecast["level"].eq("total") & forecast["part"].isin(["won", "open_due", "open_pulled_in", "new"])],
    x="mean", y="period", color="part", title="Expected revenue by part, USD",
)  # fmt: skip

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
# # 2. Whether and when
#
# Every open deal gets a chance to be won and a range of days; both come from one model. Are the chances true?

# %%
import pandas as pd
import plotly.express as px

from pipeforecast.demo import make_company
from pipeforecast.interactive import call

make_company(n_deals=600).write("out/company")
company = ("crm=salesforce", "source=out/company", "crm.currency=USD", "tracking=off")

# %% [markdown]
# ## Today's deals
#
# The proof is left out here; it is what the third notebook is about.

# %%
print(call("forecast", *company, "proof=none", "out=out/forecast"))

# %%
days = ["expected_close", "close_p10", "close_p50", "close_p90"]
deals = pd.read_csv("out/forecast/deals.csv", parse_dates=days)
deals[["name", "stage", "amount", "p_win", "p_win_in_period", "close_p10", "close_p50", "close_p90", "reason_1"]].head()

# %%
px.histogram(deals, x="p_win", color="stage", nbins=20, title="Chance to be won within a year")

# %% [markdown]
# The date in the CRM beside the day by which half of the chance is used up: overdue dates are not believed.

# %%
px.scatter(
    deals, x="expected_close", y="close_p50", color="p_win", size=deals["amount"].fillna(0), hover_name="name",
    title="The CRM's date, and the day by which a win is as likely earlier as later",
)  # fmt: skip

# %% [markdown]
# Why a chance is what it is: each factor's part of the expected money. The parts of a deal add up to it.

# %%
reasons = pd.read_csv("out/forecast/reasons.csv")
px.bar(
    reasons[reasons["deal_id"] == deals["deal_id"][0]], x="money", y="factor", orientation="h",
    title=f"What {deals['name'][0]} rests on, USD",
)  # fmt: skip

# %% [markdown]
# ## Do chances come true?
#
# `train` judges on later periods: everything is fitted anew at each past day, on what was known then.

# %%
print(call("train", *company, "origins.periods=4", "learning_curve=false", "out=out/trained"))

# %%
calibration = pd.read_csv("out/trained/calibration.csv")
later = calibration[calibration["split"].eq("later periods") & calibration["model"].isin(["hazard", "reps_own"])]
figure = px.line(
    later, x="forecast", y="observed", color="model", markers=True, title="Said, and what came (right: the diagonal)",
    error_y=later["upper"] - later["observed"], error_y_minus=later["observed"] - later["lower"],
)  # fmt: skip
figure.add_shape(type="line", x0=0, y0=0, x1=1, y1=1, line_dash="dot")

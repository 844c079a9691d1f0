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
# # 3. The quarter and its proof
#
# Revenue of the quarter is a distribution with named parts. Beside it stands what the same recipe would have said on past
# evenings, and what each rule would have said.

# %%
import pandas as pd
import plotly.express as px

from pipeforecast.demo import make_company
from pipeforecast.interactive import call

make_company(n_deals=600).write("out/company")
company = ("crm=salesforce", "source=out/company", "crm.currency=USD", "tracking=off")

# %%
print(call("forecast", *company, "proof=full", "origins.periods=4", "draws=400", "out=out/quarter"))

# %% [markdown]
# ## What the quarter is made of
#
# Means of parts add up; their quantiles do not.

# %%
forecast = pd.read_csv("out/quarter/forecast.csv")
first = forecast["period"].eq(forecast["period"][0]) & forecast["method"].eq(forecast["method"][0])
parts = forecast[first & forecast["level"].eq("total")]
parts[["part", "mean", "p10", "p50", "p90"]]

# %%
px.bar(
    parts[parts["part"].isin(["won", "open_due", "open_pulled_in", "new"])], x="mean", y="period", color="part",
    title="Expected revenue by part, USD",
)  # fmt: skip

# %% [markdown]
# ## What would have been said, and what came
#
# One point a past evening, with its 80 % range; the line is where forecast and truth are the same.

# %%
backtest = pd.read_csv("out/quarter/backtest.csv")
told = backtest[backtest["level"].eq("total") & backtest["method"].eq("model")]
figure = px.scatter(
    told, x="actual", y="p50", color=told["day_of_period"].astype(str), hover_name="period",
    error_y=told["p90"] - told["p50"], error_y_minus=told["p50"] - told["p10"],
    labels={"color": "day of the quarter"}, title="Forecast and truth of past quarters, USD",
)  # fmt: skip
top = float(told[["actual", "p90"]].max().max())
figure.add_shape(type="line", x0=0, y0=0, x1=top, y1=top, line_dash="dot")

# %% [markdown]
# ## Against the rules
#
# Error as a share of revenue, on each day of the quarter. With four quarters most differences are luck, and the first
# line of the forecast says so.

# %%
scores = pd.read_csv("out/quarter/backtest_scores.csv").query("level == 'total' and day_of_period >= 0")
shown = ["model", "same_stage_same_time", "crm_probability", "coverage_yield", "rep_call", "same_period_last_year"]
px.line(
    scores[scores["method"].isin(shown)], x="day_of_period", y="wape", color="method", markers=True,
    title="Error of past forecasts, share of revenue",
)  # fmt: skip

# %%
scores[scores["method"].isin(shown)].pivot_table(index="method", columns="day_of_period", values="crps")

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
# # 4. Leads and thresholds
#
# From which score on is a lead worth handing to sales? That depends on what a contact costs, what a conversion brings and
# how many leads a week can be called.

# %%
import pandas as pd
import plotly.express as px

from pipeforecast.demo import make_company
from pipeforecast.interactive import call

make_company(n_deals=600).write("out/company")
company = ("crm=salesforce", "source=out/company", "crm.currency=USD", "tracking=off")

# %%
money = ("cost_per_contact=30", "value_per_conversion=900", "capacity_per_week=4")
print(call("thresholds", *company, *money, "out=out/thresholds"))

# %% [markdown]
# ## Every threshold
#
# Leads are judged on later leads of other people. What a higher threshold saves in contacts, it loses in conversions.

# %%
thresholds = pd.read_csv("out/thresholds/thresholds.csv")
every = thresholds[thresholds["segment"].eq("all") & thresholds["scale"].eq("p")]
px.line(
    every, x="threshold", y=["net", "cost", "value"], title="What each threshold costs and brings, USD",
    hover_data=["leads_per_week", "precision", "recall"],
)  # fmt: skip

# %%
px.line(
    every, x="leads_per_week", y="precision", hover_data=["threshold", "recall"],
    error_y=every["precision_upper"] - every["precision"], error_y_minus=every["precision"] - every["precision_lower"],
    title="Of the leads handed over, the share that converts",
)  # fmt: skip

# %%
every[every["best"]].T

# %% [markdown]
# ## A points card
#
# A few rows of whole points for tools that score by rules, learned from the same leads.

# %%
pd.read_csv("out/thresholds/points_card.csv")

# %%
grades = pd.read_csv("out/thresholds/grades.csv")
px.bar(
    grades, x="grade", y="conversion", error_y=grades["upper"] - grades["conversion"],
    error_y_minus=grades["conversion"] - grades["lower"], hover_data=["leads"], title="Conversion by grade",
)  # fmt: skip

# %% [markdown]
# ## Today's leads

# %%
print(call("score", *company, "target=lead", "version=fit", "out=out/leads"))

# %%
leads = pd.read_csv("out/leads/leads.csv")
px.histogram(leads, x="p_convert", nbins=30, title="Chance of today's leads to convert")

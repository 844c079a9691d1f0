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
# # 1. Read an export
#
# A CRM's export becomes one history: every state of every deal, in the order in which it was written. From it the
# pipeline of any past evening is looked up, not guessed.

# %%
import pandas as pd
import plotly.express as px

from pipeforecast.demo import make_company
from pipeforecast.findings import findings_frame
from pipeforecast.ingest import read_export
from pipeforecast.interactive import mapping_named
from pipeforecast.snapshot import take_snapshots

# %% [markdown]
# A made-up company writes its raw export, in Salesforce's layout. With an export of your own start at the next cell, and
# name its folder and its mapping.

# %%
files = make_company(n_deals=600).write("out/company")
[path.name for path in files]

# %%
export = read_export(mapping_named("salesforce", "crm.currency=USD"), "out/company")
history = export.history

# %% [markdown]
# **What was odd.** Nothing is repaired in silence: each finding says what was done and what you can do.

# %%
findings_frame(export.findings)[["code", "severity", "count", "repair", "advice"]]

# %% [markdown]
# **Does it tie?** Deals and amounts in the source, used, and left out; set them beside a report of the CRM.

# %%
export.tie

# %% [markdown]
# **What the past knows.** A column is fixed at birth, tracked by a log, or known only as of today; the last kind teaches
# nothing about a past day.

# %%
pd.Series(history.roles, name="role").to_frame().query("role != 'today'")

# %% [markdown]
# **One deal.** Each row is the whole state as then known.

# %%
longest = history.states["deal"].mode()[0]
history.states.query("deal == @longest")[["recorded_at", "status", "stage", "amount", "expected_close", "probability"]]

# %% [markdown]
# **The pipeline on past evenings**, each as it was known then.

# %%
evenings = pd.date_range("2024-01-05", history.written_until, freq="W-FRI")
snapshot = take_snapshots(history, evenings)
px.histogram(
    snapshot.open, x="as_of", y="amount", color="stage", histfunc="sum", nbins=len(evenings),
    title="Open pipeline by stage, USD",
)  # fmt: skip

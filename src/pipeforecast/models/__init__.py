"""Deal models, amounts and arrivals: each learns from lessons and sees snapshots only."""

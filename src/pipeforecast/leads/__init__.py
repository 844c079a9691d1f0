"""Leads: rewound to a day, what became of them, what is known of them, and their scores."""

from pipeforecast.leads.frames import MISSING, LeadFeatures, Marks, ScoredLeads

__all__ = ["MISSING", "LeadFeatures", "Marks", "ScoredLeads"]

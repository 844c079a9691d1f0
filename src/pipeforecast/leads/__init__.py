"""Leads: rewound to a day, what became of them, what is known of them, and their scores."""

from pipeforecast.leads.book import STEPS, LeadBook, lead_book
from pipeforecast.leads.describe import describe_leads
from pipeforecast.leads.frames import MISSING, LeadFeatures, Marks, ScoredLeads
from pipeforecast.leads.outcome import check_step, observe_leads
from pipeforecast.leads.past import LeadSnapshot, decision_rows, lesson_rows, open_leads, take_lead_snapshot

__all__ = [
    "MISSING", "STEPS", "LeadBook", "LeadFeatures", "LeadSnapshot", "Marks", "ScoredLeads", "check_step",
    "decision_rows", "describe_leads", "lead_book", "lesson_rows", "observe_leads", "open_leads", "take_lead_snapshot",
]  # fmt: skip

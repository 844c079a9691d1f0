"""From a CRM export to calibrated deal probabilities and a proven quarterly revenue forecast."""

__version__ = "0.1.0"

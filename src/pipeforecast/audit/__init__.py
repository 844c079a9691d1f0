"""Pipeline hygiene: what is wrong with each open deal, how often such deals were won, and what to ask whom."""

from pipeforecast.audit.rows import Asked, Audit, audit_of

__all__ = ["Asked", "Audit", "audit_of"]

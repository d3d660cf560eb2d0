"""Tables of the audit app."""

from smarketing.audit.models.entry import AuditEntry

__all__ = ["AuditEntry"]

"""What every app's admin builds on: base classes, audit, exact search, names of instances."""

from kitehub.backoffice.audit import Audited
from kitehub.backoffice.base import AuditAdmin, RecordAdmin
from kitehub.backoffice.names import InstanceNames
from kitehub.backoffice.search import ExactSearch

__all__ = ["AuditAdmin", "Audited", "ExactSearch", "InstanceNames", "RecordAdmin"]

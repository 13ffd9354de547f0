"""Closing a school: a tombstone and an archive first, and its data goes after a time of grace.

docs/scaling.md says what stays, and how a run that was killed is finished.
"""

from kitehub.closing.dropping import Dropped, drop
from kitehub.closing.tombstones import ClosingError, cancel, close, renew

__all__ = ["ClosingError", "Dropped", "cancel", "close", "drop", "renew"]

"""What must be true of billing's rows; `manage.py check_invariants` runs it."""

from billing.invariants import figures, history, money, time

__all__ = ["figures", "history", "money", "time"]

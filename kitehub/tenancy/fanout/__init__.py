"""Brings every silo to the newest migration: planned once, sent to many databases at a time.

`silos` says which databases there are, `plans` what one of them lacks, `recording` what of that can
be sent as SQL, `run` does it with threads, one silo each, and `canary` holds the many back until
the first few succeeded. `standing` says how far one has come. docs/scaling.md tells it to
operators.
"""

from kitehub.tenancy.fanout.plans import Plan, Plans, Step, Way, applied
from kitehub.tenancy.fanout.run import Fanout, Result, State, explained, of_instance, run_each
from kitehub.tenancy.fanout.silos import Misplaced, Silo, gather
from kitehub.tenancy.fanout.standing import Reached, newest, reached

__all__ = [
    "Fanout",
    "Misplaced",
    "Plan",
    "Plans",
    "Reached",
    "Result",
    "Silo",
    "State",
    "Step",
    "Way",
    "applied",
    "explained",
    "gather",
    "newest",
    "of_instance",
    "reached",
    "run_each",
]

"""What is done to several apps at once. Nothing below writes to more than one."""

from kitehub.moving import abort, move, purge, resume, suspend
from kitehub.workflows.leaving import (
    GRACE,
    cancel_deprovision,
    deprovision,
    drop_deprovisioned,
    export_instance,
    import_instance,
)
from kitehub.workflows.opening import (
    NewSchool,
    Opened,
    Opening,
    SubdomainTaken,
    open_instance,
    open_instances,
    provision,
)
from kitehub.workflows.tiers import InstanceGone, apply_tier, change_tier
from kitehub.workflows.watching import Watched, note_schemas, watch_instance, watch_instances

__all__ = [
    "GRACE",
    "InstanceGone",
    "NewSchool",
    "Opened",
    "Opening",
    "SubdomainTaken",
    "Watched",
    "abort",
    "apply_tier",
    "cancel_deprovision",
    "change_tier",
    "deprovision",
    "drop_deprovisioned",
    "export_instance",
    "import_instance",
    "move",
    "note_schemas",
    "open_instance",
    "open_instances",
    "provision",
    "purge",
    "resume",
    "suspend",
    "watch_instance",
    "watch_instances",
]

"""Users, roles, security, mail, notes, instances, and what belongs to an instance."""

from kitehub.models.api_keys import ApiKey
from kitehub.models.configs import InstanceConfig
from kitehub.models.emails import Email
from kitehub.models.gates import InstanceChange, InstanceGate
from kitehub.models.instances import Instance
from kitehub.models.leaving import ArchiveRun, Tombstone
from kitehub.models.moves import InstanceMove, InstanceSuspension
from kitehub.models.notes import Note
from kitehub.models.roles import StaffRole
from kitehub.models.security import SecondFactor, SecurityEvent, SignedInSession
from kitehub.models.sign_ins import SignInAttempts
from kitehub.models.users import User
from kitehub.models.watches import InstanceWatch

__all__ = [
    "ApiKey",
    "ArchiveRun",
    "Email",
    "Instance",
    "InstanceChange",
    "InstanceConfig",
    "InstanceGate",
    "InstanceMove",
    "InstanceSuspension",
    "InstanceWatch",
    "Note",
    "SecondFactor",
    "SecurityEvent",
    "SignInAttempts",
    "SignedInSession",
    "StaffRole",
    "Tombstone",
    "User",
]

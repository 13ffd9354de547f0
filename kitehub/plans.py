"""The tier catalogue: what each tier costs, allows and limits."""

from collections.abc import Mapping
from dataclasses import dataclass

from kitehub.enums import Tier

GIB = 1024**3


@dataclass(frozen=True, slots=True)
class Plan:
    """One tier's terms. Price in đồng a month, storage in bytes; a limit of None is no limit."""

    tier: Tier
    monthly_price: int
    features: Mapping[str, bool]
    limitations: Mapping[str, int | None]
    storage_bytes: int


# Features, BASIC's limits and storage: the plan, V1 and V7.
PLANS: Mapping[Tier, Plan] = {
    plan.tier: plan
    for plan in (
        Plan(
            tier=Tier.BASIC,
            monthly_price=299_000,
            features={"engagement": False, "media": False, "premium": False},
            limitations={"maxStudents": 50, "maxCourses": 10},
            storage_bytes=0,
        ),
        Plan(
            tier=Tier.STANDARD,
            monthly_price=599_000,
            features={"engagement": True, "media": True, "premium": False},
            limitations={"maxStudents": 200, "maxCourses": 50},
            storage_bytes=5 * GIB,
        ),
        Plan(
            tier=Tier.PREMIUM,
            monthly_price=1_299_000,
            features={"engagement": True, "media": True, "premium": True},
            limitations={"maxStudents": None, "maxCourses": None},
            storage_bytes=20 * GIB,
        ),
    )
}

"""The tier catalogue: what each tier costs, allows and limits. KITEHUB_PLANS changes it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, replace
from functools import lru_cache
from itertools import pairwise
from json import dumps, loads
from typing import Any

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from kitehub.enums import Tier

GIB = 1024**3
# As much as a bigint can say.
MOST = 2**63 - 1
# The limitation that the storage ledger enforces; a tier's own is Plan.storage_bytes.
STORAGE = "maxStorageBytes"


class UnknownFeature(LookupError):
    """A feature or limitation that no tier has, so probably a slip of the pen."""

    def __init__(self, name: str, known: tuple[str, ...]) -> None:
        super().__init__(f"There is no {name!r}, only {', '.join(known)}.")


@dataclass(frozen=True, slots=True)
class Plan:
    """One tier's terms. Price in đồng a month, storage in bytes; a limit of None is no limit."""

    tier: Tier
    monthly_price: int
    features: Mapping[str, bool]
    limitations: Mapping[str, int | None]
    storage_bytes: int | None

    def allows(self, name: str) -> bool:
        """Whether the tier has a feature; raises UnknownFeature."""
        if name not in FEATURES:
            raise UnknownFeature(name, FEATURES)
        return self.features[name]

    def limit(self, name: str) -> int | None:
        """What the tier says of a limitation, storage included; raises UnknownFeature."""
        if name not in LIMITATIONS:
            raise UnknownFeature(name, LIMITATIONS)
        return self.storage_bytes if name == STORAGE else self.limitations[name]


# Features, BASIC's limits and storage: the plan, V1 and V7.
DEFAULTS: Mapping[Tier, Plan] = {
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
FEATURES = tuple(DEFAULTS[Tier.BASIC].features)
LIMITATIONS = (*DEFAULTS[Tier.BASIC].limitations, STORAGE)
_KEYS = tuple(field.name for field in fields(Plan) if field.name != "tier")


class _Catalogue(Mapping[Tier, Plan]):
    """The plans as the settings have them, read when they are asked for.

    Raises ImproperlyConfigured where KITEHUB_PLANS makes no sense; the system check says all of it.
    """

    def __getitem__(self, tier: Tier) -> Plan:
        return self._plans()[tier]

    def __iter__(self) -> Iterator[Tier]:
        return iter(DEFAULTS)

    def __len__(self) -> int:
        return len(DEFAULTS)

    @staticmethod
    def _plans() -> Mapping[Tier, Plan]:
        overrides = settings.KITEHUB_PLANS
        return _changed(dumps(overrides)) if overrides else DEFAULTS


PLANS: Mapping[Tier, Plan] = _Catalogue()


@lru_cache(maxsize=8)
def _changed(overrides: str) -> Mapping[Tier, Plan]:
    """The defaults with the overrides of a JSON text put over them."""
    said = loads(overrides)
    if found := faults(said):
        raise ImproperlyConfigured(f"KITEHUB_PLANS: {found[0]}")
    return {tier: _overridden(plan, said.get(tier.value, {})) for tier, plan in DEFAULTS.items()}


def _overridden(plan: Plan, said: Mapping[str, Any]) -> Plan:
    merged: dict[str, Any] = {
        key: {**getattr(plan, key), **value} if isinstance(value, Mapping) else value
        for key, value in said.items()
    }
    return replace(plan, **merged)


# --- What may be wrong with KITEHUB_PLANS -----------------------------------------------------


def faults(overrides: object) -> list[str]:
    """What keeps overrides from being any, a sentence each that names tier and key."""
    if not isinstance(overrides, Mapping):
        return [f"{overrides!r} is no object of tiers."]
    found = []
    for tier, said in overrides.items():
        if tier not in Tier.values:
            found.append(f"there is no tier {tier!r}, only {', '.join(Tier.values)}.")
        elif not isinstance(said, Mapping):
            found.append(f"{tier} is {said!r}, and must be an object.")
        else:
            found += [f"{tier}.{fault}" for key in said for fault in _faults(key, said[key])]
    return found


def _faults(key: str, value: object) -> list[str]:
    match key:
        case "monthly_price":
            # The database takes no subscription for nothing.
            return _no_number(key, value, least=1)
        case "storage_bytes":
            return _no_number(key, value, nullable=True)
        case "features":
            return _each(key, value, FEATURES, _no_flag)
        case "limitations":
            names = tuple(name for name in LIMITATIONS if name != STORAGE)
            return _each(key, value, names, lambda *said: _no_number(*said, nullable=True))
    return [f"{key} is unknown; there are {', '.join(_KEYS)}."]


def _each(key: str, value: object, known: tuple[str, ...], check: Any) -> list[str]:
    if not isinstance(value, Mapping):
        return [f"{key} is {value!r}, and must be an object."]
    found: list[str] = []
    for name, said in value.items():
        path = f"{key}.{name}"
        unknown = [f"{path} is unknown; there are {', '.join(known)}."]
        found += check(path, said) if name in known else unknown
    return found


def _no_flag(path: str, value: object) -> list[str]:
    return [] if isinstance(value, bool) else [f"{path} is {value!r}, and must be true or false."]


def _no_number(path: str, value: object, *, least: int = 0, nullable: bool = False) -> list[str]:
    # In Python True is a whole number.
    if (nullable and value is None) or (type(value) is int and least <= value <= MOST):
        return []
    or_null = ", or null for no limit" if nullable else ""
    return [f"{path} is {value!r}, and must be a whole number from {least} on{or_null}."]


def oddities(plans: Mapping[Tier, Plan]) -> list[str]:
    """Where a tier gives more than the next higher one, or costs more; a sentence each."""
    found = []
    for lower, higher in pairwise(plans[tier] for tier in Tier):
        what = f"{lower.tier.value} %s than {higher.tier.value}"
        if lower.monthly_price > higher.monthly_price:
            found.append(f"{what % 'costs more'}.")
        for name in FEATURES:
            if lower.features[name] and not higher.features[name]:
                found.append(f"{lower.tier.value} has {name}, and {higher.tier.value} hasn't.")
        for name in LIMITATIONS:
            if _more(lower.limit(name), higher.limit(name)):
                found.append(f"{what % 'has more'}: {name}.")
    return found


def _more(one: int | None, other: int | None) -> bool:
    return other is not None and (one is None or one > other)

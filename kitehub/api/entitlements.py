"""GET /api/v1/entitlements: what the instance of the key may do."""

from datetime import datetime
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from ninja import Field, Router, Schema

from kitehub.api_auth import ApiKeyAuth, key_of
from kitehub.entitlements import Entitlements, entitlements_of
from kitehub.enums import ApiScope, EntitlementReason, EntitlementSource, Standing, Tier
from kitehub.etags import unchanged

# For how long a program may go by an answer; shorter where the answer ends earlier.
MAX_AGE_SECONDS = 60

router = Router(tags=["entitlements"])


class EntitlementOut(Schema):
    """One feature or limitation."""

    access: bool = Field(description="Whether it may be used now")
    limit: int | None = Field(description="null is unlimited, 0 is none; storage is in bytes")
    used: int | None = Field(description="null is unknown")
    reason: EntitlementReason
    source: EntitlementSource


class EntitlementsOut(Schema):
    """What an instance may do at the moment of the request."""

    instance_id: UUID
    tier: Tier
    status: Standing
    changes_allowed: bool = Field(
        description="false: what is there may be used, nothing new be made; pay first"
    )
    valid_until: datetime | None = Field(description="When this ends by itself; null: not known")
    version: str = Field(description="Another one whenever anything else here is")
    features: dict[str, EntitlementOut]


# A suspended instance is told so feature by feature.
_auth = ApiKeyAuth(ApiScope.ENTITLEMENTS_READ, allow_suspended=True)


def entitlements(request: HttpRequest, response: HttpResponse) -> Any:
    """What the instance may do: by feature and limitation, with the reason.

    Send the last answer's ETag as If-None-Match: 304 says that nothing has changed.
    """
    now = timezone.now()
    found = entitlements_of(key_of(request).instance, at=now)
    max_age = _max_age(found, now)
    return unchanged(request, response, version=found.version, max_age=max_age) or found


def _max_age(found: Entitlements, now: datetime) -> int:
    if found.valid_until is None:
        return MAX_AGE_SECONDS
    left = int((found.valid_until - now).total_seconds())
    return max(0, min(MAX_AGE_SECONDS, left))


router.get(
    "/entitlements",
    auth=_auth,
    response={200: EntitlementsOut, 304: None},
    operation_id="entitlements",
)(entitlements)
router.api_operation(
    ["HEAD"], "/entitlements", auth=_auth, response=EntitlementsOut, include_in_schema=False
)(entitlements)

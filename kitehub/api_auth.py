"""Who asks the API: a program of an instance, by its key. For the routes of every app."""

from django.http import HttpRequest
from ninja.security.base import AuthBase

from kitehub.enums import ApiScope
from kitehub.models import ApiKey
from kitehub.services.api_keys import MalformedKey, authenticate


class ApiKeyAuth(AuthBase):
    """Takes `Authorization: Bearer <key>` of a key that has a scope; `request.auth` is the key."""

    openapi_type = "http"
    openapi_scheme = "bearer"

    def __init__(self, scope: ApiScope, *, allow_suspended: bool = False) -> None:
        super().__init__()
        self.scope = scope
        self.allow_suspended = allow_suspended

    def __call__(self, request: HttpRequest) -> ApiKey | None:
        """The key; None without one. Raises KeyRefused."""
        scheme, _, text = request.headers.get("Authorization", "").strip().partition(" ")
        if not scheme:
            return None
        if scheme.lower() != self.openapi_scheme:
            raise MalformedKey
        return authenticate(text.strip(), scope=self.scope, allow_suspended=self.allow_suspended)


def key_of(request: HttpRequest) -> ApiKey:
    """The key that a request came with, behind ApiKeyAuth."""
    key: ApiKey = request.auth  # type: ignore[attr-defined]
    return key

"""What every route has: who asks, for which instance, and how errors are said."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.core.signals import got_request_exception
from django.db import InterfaceError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.log import log_response
from ninja import NinjaAPI
from ninja.errors import AuthenticationError, HttpError, ValidationError
from ninja.security.base import AuthBase

from kitehub import tenancy
from kitehub.enums import ApiScope
from kitehub.models import ApiKey
from kitehub.problems import MEDIA_TYPE, problem
from kitehub.services.api_keys import (
    KeyRefused,
    MalformedKey,
    MissingScope,
    NotAllowed,
    authenticate,
)

# How long somebody whose database can't be reached is to wait before the next attempt.
RETRY_SECONDS = 5
_REALM = 'Bearer realm="kitehub"'
# What every operation may answer, beside what it says of itself.
_PROBLEMS = {
    401: "No API key, or one that isn't taken",
    403: "The key, or its instance, may not do this",
    422: "A field can't be as it is",
    500: "A fault of ours",
    503: "The instance's database can't be reached; Retry-After says when to try again",
}
_PROBLEM_SCHEMA = {
    "title": "Problem",
    "type": "object",
    "required": ["status", "code", "title", "detail"],
    "properties": {
        "status": {"type": "integer"},
        "code": {"type": "string", "description": "Stable; for programs"},
        "title": {"type": "string"},
        "detail": {"type": "string", "description": "For people"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["field", "message"],
                "properties": {"field": {"type": "string"}, "message": {"type": "string"}},
            },
        },
    },
}


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


class _Api(NinjaAPI):
    """Says in the schema how errors look."""

    def get_openapi_schema(self, **kwargs: Any) -> Any:
        schema = super().get_openapi_schema(**kwargs)
        content = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
        schema["components"]["schemas"]["Problem"] = _PROBLEM_SCHEMA
        for operations in schema["paths"].values():
            for operation in operations.values():
                for status, what in _PROBLEMS.items():
                    said = {"description": what, "content": content}
                    operation["responses"].setdefault(status, said)
        return schema


api = _Api(
    title="KiteHub",
    version="1",
    description="What the programs of an instance ask KiteHub. The instance is the API key's.",
    urls_namespace="api-v1",
)


def _for_the_instance(view: Callable[..., Any]) -> Callable[..., Any]:
    """Works for the instance of the key that the request came with, and for nobody without one."""

    @wraps(view)
    def within(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        key = getattr(request, "auth", None)
        if not isinstance(key, ApiKey):
            return view(request, *args, **kwargs)
        with tenancy.use(key.instance):
            return view(request, *args, **kwargs)

    return within


# Of every router, so that no route can forget it.
api.add_decorator(_for_the_instance)


# --- Errors -------------------------------------------------------------------------------------


@api.exception_handler(AuthenticationError)
def _no_key(request: HttpRequest, error: Any) -> HttpResponse:
    response = problem(401)
    response["WWW-Authenticate"] = _REALM
    return response


@api.exception_handler(KeyRefused)
def _refused(request: HttpRequest, error: Any) -> HttpResponse:
    response = problem(403 if isinstance(error, NotAllowed) else 401, error.code, error.message)
    if isinstance(error, MissingScope):
        response["WWW-Authenticate"] = (
            f'{_REALM}, error="insufficient_scope", scope="{error.scope.value}"'
        )
    elif response.status_code == 401:
        response["WWW-Authenticate"] = f'{_REALM}, error="invalid_token"'
    return response


@api.exception_handler(ValidationError)
def _invalid(request: HttpRequest, error: Any) -> HttpResponse:
    """Names each field as it was sent; the words are pydantic's, in English."""
    errors = [
        {"field": ".".join(str(part) for part in each["loc"][1:]), "message": each["msg"]}
        for each in error.errors
    ]
    return problem(422, errors=errors)


@api.exception_handler(Http404)
def _not_found(request: HttpRequest, error: Any) -> HttpResponse:
    return problem(404)


@api.exception_handler(HttpError)
def _http_error(request: HttpRequest, error: Any) -> HttpResponse:
    return problem(error.status_code)


@api.exception_handler(tenancy.BadPlacement)
@api.exception_handler(OperationalError)
@api.exception_handler(InterfaceError)
def _unreachable(request: HttpRequest, error: Any) -> HttpResponse:
    response = problem(503)
    response["Retry-After"] = str(RETRY_SECONDS)
    return _reported(request, error, response)


@api.exception_handler(Exception)
def _fault(request: HttpRequest, error: Any) -> HttpResponse:
    """Tells the caller nothing of it, and the log and its listeners all, as Django does."""
    got_request_exception.send(sender=None, request=request)
    return _reported(request, error, problem(500))


def _reported(request: HttpRequest, error: Any, response: HttpResponse) -> HttpResponse:
    log_response(
        "%s: %s",
        response.reason_phrase,
        request.path,
        response=response,
        request=request,
        exception=error,
    )
    return response

"""What every route has: for which instance it works, what it reads, and how errors are said."""

import json
from collections import Counter
from collections.abc import Callable
from functools import wraps
from typing import Any

from django.core.exceptions import RequestDataTooBig
from django.core.signals import got_request_exception
from django.db import InterfaceError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.log import log_response
from django.utils.translation import gettext
from ninja import NinjaAPI
from ninja.errors import AuthenticationError, HttpError, ValidationError
from ninja.parser import Parser

from kitehub import tenancy
from kitehub.models import ApiKey
from kitehub.problems import MEDIA_TYPE, problem
from kitehub.services.api_keys import KeyRefused, MissingScope, NotAllowed

# How long somebody whose database can't be reached is to wait before the next attempt.
RETRY_SECONDS = 5
# The longest body that a route takes, in bytes.
LONGEST_BODY = 64 * 1024
# Of what is wrong with a request, and of a field's name, no more is said than somebody reads.
MOST_ERRORS = 50
LONGEST_NAME = 100
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


class _Twice(HttpError):
    """A field is there twice: which of its values is meant, nobody can tell."""

    def __init__(self, field: str) -> None:
        super().__init__(422, "")
        self.field = field[:LONGEST_NAME]


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise _Twice(Counter(name for name, _value in pairs).most_common(1)[0][0])
    return found


class _Parser(Parser):
    """Takes JSON that says it is, of a length that somebody wrote."""

    def parse_body(self, request: HttpRequest) -> Any:
        """What the body says.

        Raises HttpError 413 and 415, 422 for a field that is there twice, and ValueError for what
        isn't JSON.
        """
        if len(request.body) > LONGEST_BODY:
            raise HttpError(413, "")
        if request.content_type != "application/json":
            raise HttpError(415, "")
        return json.loads(request.body, object_pairs_hook=_unique)


class _Api(NinjaAPI):
    """Says in the schema how errors look."""

    def get_openapi_schema(self, **kwargs: Any) -> Any:
        schema = super().get_openapi_schema(**kwargs)
        content = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
        schema["components"]["schemas"]["Problem"] = _PROBLEM_SCHEMA
        for operations in schema["paths"].values():
            for operation in operations.values():
                responses = operation["responses"]
                for status, what in _PROBLEMS.items():
                    responses.setdefault(status, {"description": what})
                for status, said in responses.items():
                    if int(status) >= 400:
                        said.setdefault("content", content)
        return schema


api = _Api(
    title="KiteHub",
    version="1",
    description="What the programs of an instance ask KiteHub. The instance is the API key's.",
    urls_namespace="api-v1",
    parser=_Parser(),
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
        {"field": _field(*each["loc"]), "message": each["msg"]}
        for each in error.errors[:MOST_ERRORS]
    ]
    return problem(422, errors=errors)


def _field(source: str, *path: str | int) -> str:
    """What a field is called by whoever sent it.

    A body is one parameter of the route's, whose name nobody has sent; alone, it is all of it.
    """
    parts = path[1:] if source == "body" and len(path) > 1 else path
    name = ".".join(str(part) for part in parts)[:LONGEST_NAME]
    return name.encode("utf-8", "replace").decode()  # JSON has half characters, and UTF-8 none


@api.exception_handler(Http404)
def _not_found(request: HttpRequest, error: Any) -> HttpResponse:
    return problem(404)


@api.exception_handler(HttpError)
def _http_error(request: HttpRequest, error: Any) -> HttpResponse:
    # Ninja says 400 of whatever its parser raises.
    cause = error.__cause__
    if isinstance(cause, _Twice):
        message = gettext("The field is there twice.")
        return problem(422, errors=[{"field": cause.field, "message": message}])
    return problem((cause if isinstance(cause, HttpError) else error).status_code)


@api.exception_handler(RequestDataTooBig)
def _too_large(request: HttpRequest, error: Any) -> HttpResponse:
    return problem(413)


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

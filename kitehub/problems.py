"""Errors of the API as problem details (RFC 9457): for programs by `code`, for people in words."""

from typing import Any

from django.http import HttpResponse, JsonResponse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

MEDIA_TYPE = "application/problem+json"
# Codes of what Django and the routes say by their status alone, and the words for them.
_BY_STATUS: dict[int, tuple[str, str | Promise]] = {
    400: ("bad_request", _("The request can't be read.")),
    401: ("key_missing", _("An API key is needed: Authorization: Bearer …")),
    403: ("forbidden", _("This is not allowed.")),
    404: ("not_found", _("There is nothing at this address.")),
    405: ("method_not_allowed", _("This address doesn't take this method.")),
    409: ("conflict", _("It doesn't agree with how things are.")),
    412: ("precondition_failed", _("It is not the version that the request asks for.")),
    413: ("too_large", _("The request is too large.")),
    415: ("not_json", _("The body must be JSON, and say so: Content-Type: application/json.")),
    422: ("invalid", _("The request has fields that can't be as they are.")),
    429: ("too_many_requests", _("Too many requests.")),
    500: ("internal_error", _("Something went wrong here. It has been reported.")),
    503: ("unavailable", _("This can't be answered at the moment. Try again soon.")),
}


def problem(status: int, code: str = "", detail: str | Promise = "", **more: Any) -> HttpResponse:
    """A response with a status, a stable code and words for people.

    Code and words are the status's own unless given. `more` are further members.
    """
    general = _BY_STATUS.get(status) or _BY_STATUS[500 if status >= 500 else 400]
    body = {
        "status": status,
        "code": code or general[0],
        "title": str(general[1]),
        "detail": str(detail or general[1]),
        **more,
    }
    response = JsonResponse(
        body, status=status, content_type=MEDIA_TYPE, json_dumps_params={"ensure_ascii": False}
    )
    response["Cache-Control"] = "no-store"
    return response


def is_problem(response: Any) -> bool:
    """Whether a response is one already."""
    return str(response.get("Content-Type", "")).startswith(MEDIA_TYPE)

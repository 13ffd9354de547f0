"""Middleware of the whole site."""

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.middleware.locale import LocaleMiddleware
from django.utils import translation

from kitehub import tenancy
from kitehub.problems import is_problem, problem

_API = "/api/"


class ApiMiddleware:
    """Below /api/ no code reaches a tenant's table unnamed, and every error is a problem detail.

    Also those that no route sees: an unknown address, a wrong host, a wrong method.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """The response, as API clients expect it."""
        if not request.path_info.startswith(_API):
            return self.get_response(request)
        with tenancy.require():
            response = self.get_response(request)
        if response.status_code >= 400 and not (is_problem(response) or response.streaming):
            _make_problem(response)
        if request.method == "HEAD" and not response.streaming:
            # As long as GET's, which not every server sees to.
            response["Content-Length"] = str(len(response.content))
            response.content = b""
        return response


# What a page of the portal may load: its own files. No inline script or style, no other host.
_CSP = "; ".join(
    [
        "default-src 'none'",
        *(f"{kind}-src 'self'" for kind in ("script", "style", "connect", "font", "manifest")),
        "img-src 'self' data:",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    ]
)
_NOT_THE_PORTAL = ("/admin/", _API)


class PortalMiddleware:
    """On the owners' pages no code reaches a tenant's table unnamed, and browsers load only ours.

    That is every page which is neither the back office's nor the API's, error pages as well.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """The response with the policy that browsers hold it to."""
        if request.path_info.startswith(_NOT_THE_PORTAL):
            return self.get_response(request)
        with tenancy.require():
            response = self.get_response(request)
        if not settings.DEBUG or response.status_code < 400:  # Django's error pages for developers
            response.headers.setdefault("Content-Security-Policy", _CSP)
        return response


def _make_problem(response: HttpResponse) -> None:
    """Puts a problem in place of a page, whose headers stay: Allow, Retry-After and others."""
    made = problem(response.status_code)
    response.content = made.content
    for name, value in made.items():
        response[name] = value
    response["Content-Length"] = str(len(made.content))


class ChosenLanguageMiddleware(LocaleMiddleware):
    """Speaks Vietnamese until somebody chooses otherwise.

    Django would follow the browser, and most browsers in Vietnam ask for English.
    """

    def process_request(self, request: HttpRequest) -> None:
        """Activates the language of the cookie that the language switch sets."""
        chosen = request.COOKIES.get(settings.LANGUAGE_COOKIE_NAME, "")
        known = dict(settings.LANGUAGES)
        translation.activate(chosen if chosen in known else settings.LANGUAGE_CODE)
        request.LANGUAGE_CODE = translation.get_language() or settings.LANGUAGE_CODE

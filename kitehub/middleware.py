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


# What every page may load: its own files. No other host, no inline script, no inline style.
_OWN_FILES = {
    "default-src": "'none'",
    **{f"{kind}-src": "'self'" for kind in ("script", "style", "connect", "font", "manifest")},
    "img-src": "'self' data:",
    "form-action": "'self'",
    "base-uri": "'none'",
    "frame-ancestors": "'none'",
}
# Alpine, which unfold's pages are made with, turns the attributes of their elements into functions.
_OF_THE_BACK_OFFICE = _OWN_FILES | {"script-src": "'self' 'unsafe-eval'"}
# Swagger's page draws with styles of its own making.
_OF_THE_DOCS = _OWN_FILES | {"style-src": "'self' 'unsafe-inline'"}
_BACK_OFFICE = "/admin/"


def _header(policy: dict[str, str]) -> str:
    return "; ".join(f"{directive} {sources}" for directive, sources in policy.items())


_CSP, _BACK_OFFICE_CSP = _header(_OWN_FILES), _header(_OF_THE_BACK_OFFICE)
_DOCS_CSP = _header(_OF_THE_DOCS)


class ContentPolicyMiddleware:
    """Browsers load nothing but our own files on the pages of the portal and of the back office.

    Error pages as well, and the API's documentation; its other answers are not for browsers.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """The response with the policy that browsers hold it to."""
        response = self.get_response(request)
        if _is_of_developers(response):
            return response
        own = _BACK_OFFICE_CSP if request.path_info.startswith(_BACK_OFFICE) else _CSP
        if request.path_info.startswith(_API):
            shown = response.headers.get("Content-Type", "").startswith("text/html")
            if response.status_code != 200 or not shown:
                return response
            own = _DOCS_CSP
        response.headers.setdefault("Content-Security-Policy", own)
        return response


def _is_of_developers(response: HttpResponse) -> bool:
    """Whether this is one of Django's own error pages, all of whose styles are inline."""
    return settings.DEBUG and response.status_code in {400, 404, 500}


class PortalMiddleware:
    """On the owners' pages no code reaches a tenant's table unnamed.

    That is every page which is neither the back office's nor the API's.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """The response."""
        if request.path_info.startswith((_BACK_OFFICE, _API)):
            return self.get_response(request)
        with tenancy.require():
            return self.get_response(request)


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
        translation.activate(chosen_language(request))
        request.LANGUAGE_CODE = translation.get_language() or settings.LANGUAGE_CODE


def chosen_language(request: HttpRequest) -> str:
    """The language of the cookie that the language switch sets, or Vietnamese."""
    chosen = request.COOKIES.get(settings.LANGUAGE_COOKIE_NAME, "")
    return chosen if chosen in dict(settings.LANGUAGES) else settings.LANGUAGE_CODE

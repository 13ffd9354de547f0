"""Middleware of the whole site."""

from django.conf import settings
from django.http import HttpRequest
from django.middleware.locale import LocaleMiddleware
from django.utils import translation


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

"""Pages that say what went wrong and what to do next, in the dress of where it happened.

Those of a broken request or server ask nobody: not the database, not the session, not who it is.
"""

import logging
from collections.abc import Sequence
from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.utils import timezone, translation
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext as _
from django.views.decorators.csrf import requires_csrf_token

from kitehub.middleware import chosen_language

logger = logging.getLogger(__name__)

_BACK_OFFICE = "/admin/"


def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """400: what came can't be read, or claims to be for another host."""
    with translation.override(chosen_language(request)):
        says = [
            _("Your browser sent something that can't be read. Nothing was changed."),
            _("Go back, reload the page and try again."),
        ]
        return _bare(request, 400, _("That didn't arrive in one piece"), says)


@requires_csrf_token
def permission_denied(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """403: whoever asks may not."""
    if request.path_info.startswith(_BACK_OFFICE):
        says = [
            _("Your roles don't include what you asked for. Nothing was changed."),
            _("If it is part of your work, ask whoever gives out the roles for it."),
        ]
    else:
        says = [_("This is somebody else's, or needs another login. Nothing was changed.")]
    return _dressed(request, 403, _("You may not do this"), says)


@requires_csrf_token
def page_not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """404: nothing is at the address, or nothing that whoever asks may know of."""
    if request.path_info.startswith(_BACK_OFFICE):
        says = [
            _("The address is wrong, or what was here has been moved or deleted."),
            _("Look for it from the menu: lists find orders, schools and people by code or name."),
        ]
    else:
        says = [_("The address is wrong, or what was here is somebody else's.")]
    return _dressed(request, 404, _("Nothing is here"), says)


@requires_csrf_token
def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """403: a form that doesn't come from a page of ours, or from one that is too old."""
    says = [
        _(
            "The page was open for too long, or your browser takes no cookies. Go back, reload the "
            "page and send it again."
        )
    ]
    return _dressed(request, 403, _("Please try again"), says)


def server_error(request: HttpRequest) -> HttpResponse:
    """500: something of ours broke, maybe the database or the very thing that draws pages."""
    with translation.override(chosen_language(request)):
        moment = timezone.localtime().strftime("%d/%m/%Y %H:%M:%S")
        says = [
            _("It is our fault, and it has been recorded."),
            _("Please try again in a few minutes. If you were sending something, look first "
              "whether it arrived."),
            _("Should it happen again, tell us this time: %(moment)s.") % {"moment": moment},
        ]  # fmt: skip
        return _bare(request, 500, _("Something went wrong"), says)


def _dressed(request: HttpRequest, status: int, title: str, says: Sequence[str]) -> HttpResponse:
    """The page with the menus of whoever asks."""
    context: dict[str, Any] = {"title": title, "says": says}
    if not request.path_info.startswith(_BACK_OFFICE):
        return render(request, "kitehub/errors/portal.html", context, status=status)
    # A request that was refused early has no user yet.
    if not (hasattr(request, "user") and admin.site.has_permission(request)):
        return _bare(request, status, title, says)
    context = {**admin.site.each_context(request), **context}
    return render(request, "kitehub/errors/backoffice.html", context, status=status)


def _bare(request: HttpRequest, status: int, title: str, says: Sequence[str]) -> HttpResponse:
    """The page without anything that could break, too."""
    home = _BACK_OFFICE if request.path_info.startswith(_BACK_OFFICE) else "/"
    try:
        page = render_to_string(
            "kitehub/errors/bare.html", {"title": title, "says": says, "home": home}
        )
    except Exception:  # the last page there is: it comes, however plain
        logger.exception("The page of an error can't be drawn")
        page = format_html(
            '<!doctype html><html lang="{}"><meta charset="utf-8"><title>KiteHub</title>'
            "<h1>{}</h1>{}",
            translation.get_language(),
            title,
            format_html_join("", "<p>{}</p>", ((text,) for text in says)),
        )
    return HttpResponse(page, status=status)

"""`POST /api/v1/webhooks/<service>`: bank lines from the services that watch our accounts.

Verified, stored and answered within the request; settled in the background.
"""

import logging
from collections.abc import Mapping
from functools import partial

from django.conf import settings
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import path
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from billing.feeds import FEEDS, Feed, Malformed, Refused, Secrets
from billing.services.transfers import count_refusal, record_all
from kitehub.problems import problem

# The longest message, a list of Casso's V1, has some kilobytes.
MOST_BYTES = 1024 * 1024
RETRY_SECONDS = 5
_NOT_SET_UP = 404

log = logging.getLogger(__name__)


def receive(request: HttpRequest, feed: Feed) -> HttpResponse:
    """Answers `{"success": true}` once the message is stored, the first time as every other time.

    A message that can't be believed is answered 401 or 403 (404 where the service isn't set up),
    one that can't be read 422, and nothing is kept of it but a count.
    """
    raw_body = _read(request)
    if raw_body is None:
        return problem(413)
    now = timezone.now()
    try:
        try:
            feed.verify(request.headers, raw_body, _secrets(feed), now)
            lines = feed.parse(raw_body)
        except Refused as refused:
            if refused.status != _NOT_SET_UP:
                count_refusal(provider=feed.PROVIDER, reason=refused.code, at=now)
            # The words of a status alone are those of the API, which asks for its own keys.
            said = str(refused.reason)
            return problem(refused.status, refused.code, said, title=said)
        except Malformed as malformed:
            count_refusal(provider=feed.PROVIDER, reason=f"malformed: {malformed.field}", at=now)
            error = {"field": malformed.field, "message": str(malformed.reason)}
            return problem(422, detail=str(malformed), errors=[error])
        if lines:
            record_all(lines, at=now, raw_body=raw_body.decode())
    except (OperationalError, InterfaceError):
        log.exception("The database can't be reached; %s will send the message again", feed.NAME)
        response = problem(503)
        response["Retry-After"] = str(RETRY_SECONDS)
        return response
    return JsonResponse({"success": True})


def _read(request: HttpRequest) -> bytes | None:
    """The body; None for one that is too long, of which no more is read than shows it."""
    told = request.META.get("CONTENT_LENGTH") or "0"
    if told.isascii() and told.isdigit() and int(told) > MOST_BYTES:
        return None
    body: bytes = request.read(MOST_BYTES + 1)
    return body if len(body) <= MOST_BYTES else None


def _secrets(feed: Feed) -> Secrets:
    named: Mapping[str, tuple[str, ...]] = settings.KITEHUB_WEBHOOK_SECRETS.get(feed.NAME, {})
    return Secrets(**named)


urlpatterns = [
    path(
        name,
        # Banks have no cookies of ours.
        csrf_exempt(require_POST(partial(receive, feed=feed))),
        name=f"webhook-{name}",
    )
    for name, feed in FEEDS.items()
]

"""Pages of the whole site: whether it is alive, and whether it is ready to answer."""

from django.db import Error, connection
from django.http import HttpRequest, HttpResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

_TEXT = "text/plain; charset=utf-8"


@require_safe
@never_cache
def alive(request: HttpRequest) -> HttpResponse:
    """200 while the process answers at all; asks nobody else."""
    return HttpResponse("ok\n", content_type=_TEXT)


@require_safe
@never_cache
def ready(request: HttpRequest) -> HttpResponse:
    """200 while the platform's database answers, else 503."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except Error:
        return HttpResponse("no database\n", status=503, content_type=_TEXT)
    return HttpResponse("ok\n", content_type=_TEXT)

"""Answers of the API that a program keeps for a while and then asks about again, by their ETag."""

from django.http import HttpRequest, HttpResponse
from django.utils.cache import get_conditional_response, patch_vary_headers
from django.utils.http import quote_etag


def unchanged(
    request: HttpRequest, response: HttpResponse, *, version: str, max_age: int
) -> HttpResponse | None:
    """The answer to a request that names the version it has, 304 or 412; else None.

    Gives `response` the headers by which it is kept: for `max_age` seconds, by this key alone.
    """
    etag = quote_etag(version)
    response["ETag"] = etag
    response["Cache-Control"] = f"private, max-age={max_age}"
    patch_vary_headers(response, ["Authorization"])
    conditional = get_conditional_response(request, etag=etag, response=response)
    return None if conditional is response else conditional

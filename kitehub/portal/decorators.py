"""Who may see a page of a school."""

import logging
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from functools import wraps
from typing import Any, Concatenate, ParamSpec

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.cache import never_cache

from kitehub import tenancy
from kitehub.db.acting import ACTOR_LENGTH
from kitehub.models import Instance, User

logger = logging.getLogger(__name__)

P = ParamSpec("P")


def owner_of(
    view: Callable[Concatenate[HttpRequest, Instance, P], HttpResponse],
) -> Callable[..., HttpResponse]:
    """A view of one school, which gets it in place of the address's `subdomain`.

    It runs for the school (`tenancy.use`) and for its owner alone: whoever isn't signed in is asked
    to, and to everybody else, staff included, there is nothing at this address.
    """

    @never_cache
    @_page_or_part
    @wraps(view)
    def for_owner(
        request: HttpRequest, subdomain: str, *args: P.args, **kwargs: P.kwargs
    ) -> HttpResponse:
        school = school_of(request, subdomain)
        with _working_for(school):
            response: Any = view(request, school, *args, **kwargs)
            if hasattr(response, "render") and not response.is_rendered:
                response = response.render()
        return response  # type: ignore[no-any-return]

    return for_owner


def _working_for(school: Instance) -> AbstractContextManager[None]:
    """`tenancy.use`; where a school's address can't be read its owner may still see and pay."""
    try:
        tenancy.alias_of(school)
    except tenancy.BadPlacement:
        logger.exception("The address of instance %s can't be read", school.pk)
        return nullcontext()
    return tenancy.use(school)


def _page_or_part(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Asks to sign in; where only a part of a page was asked for, lets the page be loaded anew."""
    page: Callable[..., HttpResponse] = login_required(view)

    @wraps(view)
    def asked(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if request.headers.get("HX-Request") and not request.user.is_authenticated:
            return HttpResponse(status=204, headers={"HX-Refresh": "true"})
        return page(request, *args, **kwargs)

    return asked


def school_of(request: HttpRequest, subdomain: str) -> Instance:
    """The signed-in person's own school of this subdomain. Raises Http404."""
    schools = Instance.objects.owned_by(person_of(request).pk)
    school = schools.filter(subdomain=subdomain).first()
    if school is None:
        raise Http404
    return school


def person_of(request: HttpRequest) -> User:
    """Who is signed in, on a page that asks everybody to."""
    assert isinstance(request.user, User)  # noqa: S101 - login_required saw to it
    return request.user


def actor_of(request: HttpRequest) -> str:
    """The login of who sent a request, as the audit columns keep it."""
    login: str = person_of(request).email
    return login[:ACTOR_LENGTH]

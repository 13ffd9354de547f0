"""How people prove who they are, in the portal and in the back office alike."""

from typing import Any

from asgiref.sync import sync_to_async
from django.contrib.auth.backends import ModelBackend
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest
from django.utils import timezone

from kitehub.services import sign_ins
from kitehub.services.sign_ins import TooManyAttempts


class ThrottledBackend(ModelBackend):
    """E-mail address and password, as Django has it, for as many attempts as `sign_ins` allows."""

    def authenticate(
        self,
        request: HttpRequest | None,
        username: str | None = None,
        password: str | None = None,
        **kwargs: Any,
    ) -> Any:
        """The person, or None; PermissionDenied, which ends the search, after too many attempts."""
        login = username or kwargs.get("email") or ""
        if request is None or not login:
            return super().authenticate(request, username, password, **kwargs)
        address = sign_ins.address_of(request)
        try:
            sign_ins.count_attempt(login=login, address=address, at=timezone.now())
        except TooManyAttempts as error:
            raise PermissionDenied from error
        user = super().authenticate(request, username, password, **kwargs)
        if user is not None:
            sign_ins.forgive(login=login, address=address)
        return user

    async def aauthenticate(
        self,
        request: HttpRequest | None,
        username: str | None = None,
        password: str | None = None,
        **kwargs: Any,
    ) -> Any:
        """The same from async code: Django's own would look at any number of attempts."""
        return await sync_to_async(self.authenticate)(request, username, password, **kwargs)

"""Links that let somebody in, made at the moment that they are sent."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.contrib.auth.tokens import default_token_generator
from django.utils.encoding import force_bytes
from django.utils.http import urlsafe_base64_encode

from kitehub.models import User
from kitehub.site import address


def password_reset(context: Mapping[str, Any]) -> dict[str, str] | None:
    """The link by which a person sets a new password; None where they may not sign in.

    `context` has the person's id as `user_id`.
    """
    user = User.objects.filter(pk=UUID(context["user_id"]), is_active=True).first()
    if user is None:
        return None
    person = urlsafe_base64_encode(force_bytes(user.pk))
    token = default_token_generator.make_token(user)
    return {"link": address("password_reset_confirm", person, token)}

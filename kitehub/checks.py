"""System checks of the settings, which run before every command that needs them."""

import base64
import binascii
from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.contrib.staticfiles.storage import ManifestFilesMixin, staticfiles_storage
from django.core.checks import CheckMessage, Error, Tags, Warning, register

from kitehub import plans
from kitehub.db.secrets import is_key


@register(Tags.security)
def check_field_keys(
    app_configs: Sequence[AppConfig] | None = None, **kwargs: Any
) -> list[CheckMessage]:
    """An error for each key in KITEHUB_FIELD_KEYS that can't protect anything, by its position."""
    keys = settings.KITEHUB_FIELD_KEYS
    if not keys:
        return [Error("KITEHUB_FIELD_KEYS holds no key.", hint=_HINT, id="kitehub.E001")]
    return [
        message
        for number, key in enumerate(keys, start=1)
        for message in _faults(key, f"KITEHUB_FIELD_KEYS: key {number} of {len(keys)}")
    ]


@register()
def check_plans(
    app_configs: Sequence[AppConfig] | None = None, **kwargs: Any
) -> list[CheckMessage]:
    """Errors for all in KITEHUB_PLANS that can't be; warnings where a tier beats the next."""
    found = plans.faults(settings.KITEHUB_PLANS)
    hint = "docs/settings.md says what may be changed."
    if found:
        return [Error(f"KITEHUB_PLANS: {each}", hint=hint, id="kitehub.E004") for each in found]
    return [
        Warning(
            f"KITEHUB_PLANS: {each}", hint="Nobody would buy the higher one.", id="kitehub.W001"
        )
        for each in plans.oddities(plans.PLANS)
    ]


@register(Tags.staticfiles, deploy=True)
def check_static_files(
    app_configs: Sequence[AppConfig] | None = None, **kwargs: Any
) -> list[CheckMessage]:
    """An error where pages would fail because the static files haven't been collected."""
    storage = staticfiles_storage
    if not isinstance(storage, ManifestFilesMixin) or storage.read_manifest() is not None:
        return []
    return [
        Error(
            "The static files have not been collected, so every page would be an error.",
            hint="Run manage.py collectstatic --noinput, now and after each update.",
            id="kitehub.E003",
        )
    ]


_HINT = "docs/settings.md says how to make a key. Separate keys by commas, the newest first."


def _faults(key: str, named: str) -> list[CheckMessage]:
    """What is wrong with one key, without the key."""
    if not key:
        return [Error(f"{named} is empty.", hint=_HINT, id="kitehub.E001")]
    if not is_key(key):
        return [Error(f"{named} is not a Fernet key.", hint=_HINT, id="kitehub.E001")]
    if not settings.DEBUG and is_for_development(key):
        return [
            Error(
                f"{named} is the development key, which everybody knows.",
                hint="Rotate what it encrypted with DJANGO_DEBUG on, then take it out of the list.",
                id="kitehub.E002",
            )
        ]
    return []


def is_for_development(key: str) -> bool:
    """Whether a key is the one that the settings fall back to, so that everybody knows it."""
    try:
        return base64.urlsafe_b64decode(key).startswith(b"development-only")
    except binascii.Error:
        return False

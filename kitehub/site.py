"""Where people find the site, for links that leave it."""

from django.conf import settings
from django.urls import reverse


def address(name: str, *args: object) -> str:
    """A page's whole address by its name in the URL conf, under KITEHUB_BASE_URL.

    Not under the name that a request claims to be for: mail with a stranger's links would follow.
    """
    return settings.KITEHUB_BASE_URL + reverse(name, args=args)

"""The bar of actions at the top of a row's page: short, so that the title has room beside it."""

from typing import Any

from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

# What fits beside a title on a screen of 1280 pixels, the menu included.
MOST_IN_BAR = 3


class ShortBar:
    """For a ModelAdmin, behind all that take actions off a page: what is left over is a menu.

    The first of `actions_detail` stay buttons, so the commonest come first. An admin that says
    itself which are in a menu is left alone.
    """

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> Any:
        """Folds the bar."""
        offered = context.get("actions_detail", [])
        if len(offered) > MOST_IN_BAR and not any("items" in each for each in offered):
            menu = {"title": _("More"), "icon": "more_vert", "items": offered[MOST_IN_BAR - 1 :]}
            context["actions_detail"] = [*offered[: MOST_IN_BAR - 1], menu]
        return super().render_change_form(request, context, *args, **kwargs)  # type: ignore[misc]

"""What programs wrote into rows, in words of the language that is active.

Rows keep who changed them and why as programs say it, in English and for good. What people wrote,
names and reasons alike, stays as it is.
"""

import re
from typing import Any

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from billing.services import expiry, receipts, releasing, renewals, settlement
from billing.services.subscriptions import advance

_ACTORS = {
    settlement.ACTOR: _("Settlement (by itself)"),
    receipts.ISSUER: _("Settlement (by itself)"),
    renewals.RENEWAL_ACTOR: _("Renewal (by itself)"),
    expiry.EXPIRY_ACTOR: _("Expiry of orders (by itself)"),
    advance.ADVANCE_ACTOR: _("Change of periods (by itself)"),
}
_REASONS = {
    advance.BEGUN_REASON: _("A period begins"),
    advance.OVER_REASON: _("What was paid or tried is over"),
    "superseded": _("Replaced by another order"),
    releasing.IN_VAIN: _("Nothing was left to upgrade when the money came"),
}
_PAID = re.compile(r"Order (\S+) is paid")
_PAID_BACK = re.compile(r"Order (\S+) is paid back: (.*)", re.DOTALL)
_REFUSALS = {
    "timestamp_unreadable": _("The signature's timestamp can't be read."),
    "signature_stale": _("The signature is too old."),
    "signature_from_the_future": _("The signature is from the future."),
    "signature_unreadable": _("The signature can't be read."),
    "signature_wrong": _("The signature doesn't fit the body."),
    "credentials_missing": _("The request has neither a key nor a signature."),
    "key_wrong": _("The key is not one of those expected."),
    "scheme_wrong": _("Send the key as Authorization: Apikey …"),
    "body_unreadable": _("The body has no signature to read."),
}
_MALFORMED = "malformed: "


def actor_words(actor: str | None) -> str:
    """Who did it: a program by what it does, a person by their login."""
    return str(_ACTORS.get(actor or "", actor or ""))


def reason_words(reason: str | None) -> str:
    """Why, where a program said it; else as a person wrote it."""
    if found := _PAID.fullmatch(reason or ""):
        return gettext("Order %(order)s is paid") % {"order": found[1]}
    if found := _PAID_BACK.fullmatch(reason or ""):
        return gettext("Order %(order)s is paid back: %(why)s") % {
            "order": found[1],
            "why": found[2],
        }
    return str(_REASONS.get(reason or "", reason or ""))


def refusal_words(code: str) -> str:
    """Why a service's message was refused; a code without words as it is."""
    if code.startswith(_MALFORMED):
        field = code.removeprefix(_MALFORMED)
        return gettext("The field “%(field)s” can't be read.") % {"field": field}
    return str(_REFUSALS.get(code, code))


class Booked:
    """For the admin of what programs book: by whom and why, in words."""

    @display(description=_("booked by"), ordering="created_by")
    def booked_by(self, row: Any) -> str:
        """A program by what it does."""
        return actor_words(row.created_by)

    @display(description=_("reason"), ordering="reason")
    def booked_for(self, row: Any) -> str:
        """Why, in words."""
        return reason_words(row.reason)

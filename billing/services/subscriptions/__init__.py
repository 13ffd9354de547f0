"""What is done to subscriptions: money that extends them, choices of their owners, days by staff.

docs/subscriptions.md has the rules in plain words.
"""

from billing.services.subscriptions.adjustments import CannotPause, extend, pause, unpause
from billing.services.subscriptions.choices import (
    Downgrade,
    NotLower,
    cancel_at_period_end,
    downgrade_preview,
    highest_tier,
    request_downgrade,
    undo_cancel,
    undo_downgrade,
    upgrade_quote,
)
from billing.services.subscriptions.facts import is_tried, periods_of
from billing.services.subscriptions.replay import (
    NoSubscription,
    apply_payment,
    differs_from_facts,
    rebuild,
)
from billing.services.subscriptions.terms import SubscriptionEnded, change_terms
from billing.services.subscriptions.upgrades import (
    raised_until,
    takes_effect,
    would_take_effect,
)

__all__ = [
    "CannotPause",
    "Downgrade",
    "NoSubscription",
    "NotLower",
    "SubscriptionEnded",
    "apply_payment",
    "cancel_at_period_end",
    "change_terms",
    "differs_from_facts",
    "downgrade_preview",
    "extend",
    "highest_tier",
    "is_tried",
    "pause",
    "periods_of",
    "raised_until",
    "rebuild",
    "request_downgrade",
    "takes_effect",
    "undo_cancel",
    "undo_downgrade",
    "unpause",
    "upgrade_quote",
    "would_take_effect",
]

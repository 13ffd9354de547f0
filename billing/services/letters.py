"""The mails about subscriptions: which there are, and what is said in them."""

from billing.dunning import Reminder
from billing.models import PaymentOrder, Subscription


def renewal_opened(*, order: PaymentOrder, subscription: Subscription) -> bool:
    """Asks for the mail with the order for the next period; False if it was asked for before."""
    return False


def reminder(*, reminder: Reminder, subscription: Subscription, order: PaymentOrder | None) -> bool:
    """Asks for a reminder of a period's end; False if it was asked for before."""
    return False

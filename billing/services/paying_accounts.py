"""On which account an order is paid, and whether it is for somebody who is still there."""

from billing.accounts import NoReceivingAccount, own_account, same_number
from billing.enums import PaymentType
from billing.models import BankTransfer, PaymentOrder
from kitehub.db import rows

_CLOSED = """
    SELECT EXISTS (
            SELECT FROM instances
            WHERE id = %(instance)s AND (deleted OR status = 'CLOSED')
        )
        OR EXISTS (SELECT FROM subscriptions WHERE instance_id = %(instance)s AND deleted)
"""


def is_paid_to(order: PaymentOrder, transfer: BankTransfer) -> bool:
    """Whether an order is paid on the account that a bank line is of.

    Accounts at two banks may have one number: what came to a school's own pays KiteHub nothing.
    """
    if order.type == PaymentType.SUBSCRIPTION and transfer.instance_id is not None:
        return False
    if order.account_number:
        number: str | None = order.account_number
    elif order.type == PaymentType.ENROLLMENT:
        number = order.instance.account_number if order.instance else None
    else:
        try:
            number = own_account().number
        except NoReceivingAccount:
            number = None
    return same_number(number, transfer.account_number) or same_number(
        number, transfer.virtual_account
    )


def is_closed(order: PaymentOrder) -> bool:
    """Whether an order buys time for a school, or a subscription, that is closed or deleted."""
    if order.type != PaymentType.SUBSCRIPTION or order.instance_id is None:
        return False
    ((closed,),) = rows.fetch(_CLOSED, {"instance": order.instance_id})
    return bool(closed)

"""What an order agrees on: for what, how much, to which account. Nothing is written here."""

import unicodedata
from dataclasses import dataclass
from typing import Any

from billing.accounts import Account, account_of, own_account
from billing.enums import OrderPurpose, OrderRefusal, PaymentType
from billing.models import Subscription
from billing.models.transfers import MOST_DONG
from billing.months import MOST_MONTHS
from kitehub.enums import Tier
from kitehub.models import Instance
from kitehub.plans import PLANS

_SUBSCRIPTION = "subscription"


class BadOrder(ValueError):
    """What was asked for can't be ordered; `field` is what is wrong, the text says why.

    Programs read the text; people get the label of `refusal` in their language.
    """

    def __init__(self, field: str, message: str) -> None:
        super().__init__(f"{field}: {message}")
        self.field = field
        self.message = message
        self.refusal = OrderRefusal(field)


@dataclass(frozen=True, slots=True)
class Terms:
    """What an order will agree on."""

    type: PaymentType
    amount: int
    account: Account
    subject: str
    tier: Tier | None = None
    purpose: OrderPurpose | None = None
    months: int | None = None
    monthly_price: int | None = None
    course_id: str | None = None
    student_name: str | None = None
    client_reference: str | None = None
    credit: bool = False

    @property
    def columns(self) -> dict[str, Any]:
        """What of them the order's row has as it is here."""
        return {
            "type": self.type,
            "amount": self.amount,
            "bank_bin": self.account.bank_bin,
            "account_number": self.account.number,
            "account_name": self.account.name,
            "subject": self.subject,
            "tier": self.tier,
            "purpose": self.purpose,
            "months": self.months,
            "monthly_price": self.monthly_price,
            "course_id": self.course_id,
            "student_name": self.student_name,
            "client_reference": self.client_reference,
        }


def subscription_terms(
    instance: Instance,
    tier: Tier | None,
    months: int,
    purpose: OrderPurpose,
    amount: int | None,
) -> Terms:
    """For `months` of a tier, or for a higher one for an `amount`, paid to KiteHub.

    Raises BadOrder and NoReceivingAccount.
    """
    if tier is None or tier not in PLANS:
        raise BadOrder("tier", f"must be one of {', '.join(Tier.values)}")
    if isinstance(months, bool) or not 1 <= months <= MOST_MONTHS:
        raise BadOrder("months", f"must be 1 to {MOST_MONTHS}")
    if purpose == OrderPurpose.UPGRADE and amount is None:
        raise BadOrder("amount", "an upgrade has one")
    price = monthly_price_of(instance, tier)
    return Terms(
        type=PaymentType.SUBSCRIPTION,
        amount=checked_amount(price * months if amount is None else amount),
        account=own_account(),
        subject=_SUBSCRIPTION,
        tier=Tier(tier),
        purpose=purpose,
        months=months if purpose == OrderPurpose.PERIOD else None,
        monthly_price=price,
        credit=True,
    )


def monthly_price_of(instance: Instance, tier: Tier) -> int:
    """What a month of a tier costs an instance, in đồng: what was agreed with it, or the list's."""
    agreed = Subscription.objects.filter(instance_id=instance.pk, tier=tier)
    return agreed.values_list("monthly_price", flat=True).first() or PLANS[Tier(tier)].monthly_price


def enrollment_terms(
    instance: Instance,
    amount: int | None,
    course_id: str,
    student_name: str,
    client_reference: str,
) -> Terms:
    """For a course, paid to the instance. Raises BadOrder and NoReceivingAccount."""
    check_course(course_id, student_name, client_reference)
    if amount is None:
        raise BadOrder("amount", "is missing")
    # However it is typed, it is the same student in the same course.
    subject = f"enrollment {' '.join(course_id.split())} {_same_name(student_name)}"
    return Terms(
        type=PaymentType.ENROLLMENT,
        amount=checked_amount(amount),
        account=account_of(instance),
        subject=subject[:300],
        course_id=course_id,
        student_name=student_name,
        client_reference=client_reference or None,
    )


def _same_name(name: str) -> str:
    """What all spellings of a name have in common; accents tell names apart."""
    return " ".join(unicodedata.normalize("NFC", name).casefold().split())


def check_course(course_id: str, student_name: str, client_reference: str) -> None:
    """Raises BadOrder for what is missing or too long."""
    said = {
        "course_id": (course_id, 100, True),
        "student_name": (student_name, 200, True),
        "client_reference": (client_reference, 100, False),
    }
    for field, (text, longest, needed) in said.items():
        if needed and not text.strip():
            raise BadOrder(field, "is empty")
        if len(text) > longest or "\x00" in text:
            raise BadOrder(field, f"has more than {longest} characters, or one that no text has")


def checked_amount(amount: int) -> int:
    """The amount, in đồng. Raises BadOrder for what no bank could move."""
    if isinstance(amount, bool) or not isinstance(amount, int) or not 1 <= amount <= MOST_DONG:
        raise BadOrder("amount", f"must be a whole number of đồng from 1 to {MOST_DONG}")
    return amount

"""The words of billing. The first three are the labels of the plan's enum types (V2, V6)."""

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _


class PaymentType(TextChoices):
    """Whom the money is for: KiteHub, or an instance that sells a course."""

    SUBSCRIPTION = "SUBSCRIPTION", _("Subscription")
    ENROLLMENT = "ENROLLMENT", _("Enrollment")


class PaymentStatus(TextChoices):
    """The state of a payment order."""

    PENDING = "PENDING", _("Awaiting payment")
    PAID = "PAID", _("Paid")
    EXPIRED = "EXPIRED", _("Expired")
    CANCELLED = "CANCELLED", _("Cancelled")


# Late money is money.
PAYABLE = (PaymentStatus.PENDING, PaymentStatus.EXPIRED)


class SubscriptionStatus(TextChoices):
    """The state of a subscription."""

    TRIAL = "TRIAL", _("Trial")
    ACTIVE = "ACTIVE", _("Active")
    PAST_DUE = "PAST_DUE", _("Past due")
    CANCELED = "CANCELED", _("Cancelled")
    EXPIRED = "EXPIRED", _("Expired")


class OrderPurpose(TextChoices):
    """What a SUBSCRIPTION order buys."""

    PERIOD = "PERIOD", _("Months of a tier")
    UPGRADE = "UPGRADE", _("A higher tier for what is paid already")


class ViewChannel(TextChoices):
    """Where an order's QR code was shown."""

    PORTAL = "PORTAL", _("The school's portal")
    API = "API", _("The school's own program")
    LINK = "LINK", _("An image in a mail or on another site")


class FeedProvider(TextChoices):
    """Who tells KiteHub of bank lines."""

    SEPAY = "SEPAY", "SePay"
    PAYOS = "PAYOS", "payOS"
    CASSO = "CASSO", "Casso"
    STATEMENT = "STATEMENT", _("Bank statement")
    MANUAL = "MANUAL", _("Entered by hand")


class TransferDirection(TextChoices):
    """Which way the money went, seen from the account."""

    IN = "IN", _("Received")
    OUT = "OUT", _("Sent")


class TransferState(TextChoices):
    """What has become of a bank line."""

    RECEIVED = "RECEIVED", _("Received, not yet settled")
    MATCHED = "MATCHED", _("Settled")
    UNMATCHED = "UNMATCHED", _("Waits for a person")
    IGNORED = "IGNORED", _("Not a payment")
    DUPLICATE = "DUPLICATE", _("Told twice")
    DISCARDED = "DISCARDED", _("Discarded")


class UnmatchedReason(TextChoices):
    """Why a bank line, or a part of it, belongs to no order."""

    NO_CODE = "NO_CODE", _("No order code in the memo")
    UNKNOWN_ORDER = "UNKNOWN_ORDER", _("No order has this code")
    CANCELLED_ORDER = "CANCELLED_ORDER", _("The order is cancelled")
    CLOSED = "CLOSED", _("The school or its subscription is closed")
    WRONG_ACCOUNT = "WRONG_ACCOUNT", _("The order is paid to another account")
    UNKNOWN_ACCOUNT = "UNKNOWN_ACCOUNT", _("Nobody is paid on this account")
    AMBIGUOUS = "AMBIGUOUS", _("Several orders, and the amount does not fit them")
    OVERPAID = "OVERPAID", _("More than the order asks for")
    ALREADY_PAID = "ALREADY_PAID", _("The order is paid already")
    BY_HAND = "BY_HAND", _("Perhaps the same money as a payment entered by hand")
    ONLY_STATEMENT = "ONLY_STATEMENT", _("Only in a statement: the feed didn't tell it")
    UNDONE = "UNDONE", _("Taken off its order again")
    OUTGOING = "OUTGOING", _("Money sent, not received")
    TEST = "TEST", _("A test call of the provider")


class PeriodKind(TextChoices):
    """Where the time of a subscription comes from."""

    TRIAL = "TRIAL", _("Trial")
    CARRIED = "CARRIED", _("Agreed before KiteHub kept periods")
    PAID = "PAID", _("Paid")
    UPGRADE = "UPGRADE", _("Paid, with the higher tier")
    EXTENSION = "EXTENSION", _("Given by staff")
    RESUMED = "RESUMED", _("The rest after a pause")


class GapReason(TextChoices):
    """Why a period doesn't begin where the one before it ended."""

    LAPSED = "LAPSED", _("Nothing was paid for this time")
    PAUSED = "PAUSED", _("Paused")


class AdjustmentKind(TextChoices):
    """What staff did to a subscription's time."""

    EXTENSION = "EXTENSION", _("Extension")
    PAUSE = "PAUSE", _("Pause")


class CreditKind(TextChoices):
    """Why an instance's credit changed."""

    EXCESS = "EXCESS", _("Paid more than was asked for")
    RELEASED = "RELEASED", _("Order not carried out, its money kept")
    GRANTED = "GRANTED", _("Given by staff")
    SPENT = "SPENT", _("Used for an order")
    REFUNDED = "REFUNDED", _("Paid back")
    UNDONE = "UNDONE", _("Booking undone")


class RefundSource(TextChoices):
    """What is paid back."""

    ORDER = "ORDER", _("A paid order")
    CREDIT = "CREDIT", _("Credit")
    TRANSFER = "TRANSFER", _("A bank line without an order")


class RefundStatus(TextChoices):
    """The state of a refund."""

    REQUESTED = "REQUESTED", _("To be approved")
    APPROVED = "APPROVED", _("To be sent")
    SENT = "SENT", _("Sent")
    REJECTED = "REJECTED", _("Rejected")


class ManualPaymentKind(TextChoices):
    """What a person saw of money that no bank feed told."""

    CASH = "CASH", _("Cash in hand")
    BANK = "BANK", _("A bank line that no feed told")


class ManualPaymentStatus(TextChoices):
    """The state of a payment that was entered by hand."""

    REQUESTED = "REQUESTED", _("To be confirmed")
    CONFIRMED = "CONFIRMED", _("Confirmed")
    REJECTED = "REJECTED", _("Rejected")


class GoodwillKind(TextChoices):
    """What a school is given for nothing."""

    CREDIT = "CREDIT", _("Credit")
    EXTENSION = "EXTENSION", _("Days of use")


class GoodwillStatus(TextChoices):
    """The state of goodwill."""

    PROPOSED = "PROPOSED", _("To be approved")
    APPROVED = "APPROVED", _("Approved")
    DECLINED = "DECLINED", _("Declined")
    WITHDRAWN = "WITHDRAWN", _("Withdrawn")
    GIVEN = "GIVEN", _("Given by one person alone")


class PlannedState(TextChoices):
    """What has become of an assignment with one click."""

    PLANNED = "PLANNED", _("To be booked")
    BOOKED = "BOOKED", _("Booked")
    TAKEN_BACK = "TAKEN_BACK", _("Taken back")
    FAILED = "FAILED", _("Could not be booked")


class ReceiptKind(TextChoices):
    """A receipt, or the counter-entry that makes one void."""

    RECEIPT = "RECEIPT", _("Receipt")
    VOID = "VOID", _("Voided receipt")


class RefundRefusal(TextChoices):
    """Why a refund can't be asked for or decided."""

    AMOUNT = "AMOUNT", _("There is less to pay back.")
    NO_MONEY = "NO_MONEY", _("Nothing was received for it.")
    NOT_OURS = "NOT_OURS", _("The money went to the school's own account: the school pays it back.")
    NO_PAYEE = "NO_PAYEE", _("The bank didn't say where the money came from: enter the account.")
    SAME_PERSON = "SAME_PERSON", _("Who asked for a refund can't approve it.")
    DECIDED = "DECIDED", _("It is no longer in the state that this takes.")
    THERE = "THERE", _("This refund has been asked for already.")


class OrderRefusal(TextChoices):
    """Why an order can't be opened: by the field that is wrong, or the account that is missing."""

    TIER = "tier", _("There is no such plan.")
    MONTHS = "months", _("So many months aren't sold at once.")
    AMOUNT = "amount", _("The amount is missing, or is no amount that can be paid.")
    COURSE = "course_id", _("The course is missing, or its code is too long.")
    STUDENT = "student_name", _("The student's name is missing, or is too long.")
    REFERENCE = "client_reference", _("The reference is too long.")
    OPEN_FOR = "open_for", _("The order would have no time to be paid.")
    NO_PAYER = "user", _("Nobody pays: the school has no owner.")
    TOO_MANY = "subject", _("Others open the same order at this moment. Try again.")
    NO_OWN_ACCOUNT = (
        "own_account",
        _("KiteHub's own bank account isn't set, or no QR code can name it."),
    )
    NO_SCHOOL_ACCOUNT = (
        "school_account",
        _("The school has no bank account, or one that no QR code can name."),
    )


class StatementOutcome(TextChoices):
    """What an import made of a line of a statement."""

    BOOKED = "BOOKED", _("New")
    TOLD = "TOLD", _("A bank feed told it before")
    KNOWN = "KNOWN", _("In an earlier statement")


class Measure(TextChoices):
    """What the daily figures count; docs/dashboard.md defines each in words.

    The first three are money of a day, the next three hold until they change and are kept as
    changes, the others are what happened to subscriptions on a day.
    """

    REVENUE = "REVENUE", _("Revenue")
    COURSE_FEES = "COURSE_FEES", _("Course fees")
    REFUNDS = "REFUNDS", _("Paid back")
    MRR = "MRR", _("Monthly recurring revenue")
    PAST_DUE = "PAST_DUE", _("Past due")
    TRIALS = "TRIALS", _("Running trials")
    TRIALS_BEGUN = "TRIALS_BEGUN", _("Trials begun")
    TRIALS_CONVERTED = "TRIALS_CONVERTED", _("Trials that pay")
    TRIALS_LOST = "TRIALS_LOST", _("Trials without payment")
    STARTED = "STARTED", _("Paid without a trial")
    CHURNED = "CHURNED", _("Customers lost")
    RETURNED = "RETURNED", _("Customers who came back")

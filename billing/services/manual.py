"""Money that no bank feed told: one person enters it, another confirms it, then it is a bank line.

The payment's own row is locked first, then what settlement locks, in its order.
"""

from dataclasses import replace
from datetime import datetime
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from billing.accounts import NoReceivingAccount, own_account
from billing.enums import (
    PAYABLE,
    FeedProvider,
    ManualPaymentKind,
    ManualPaymentStatus,
    PaymentType,
    TransferDirection,
    TransferState,
    UnmatchedReason,
)
from billing.feeds import Line
from billing.models import BankTransfer, ManualPayment, PaymentOrder
from billing.models.transfers import MOST_DONG
from billing.plain_text import fold
from billing.services import inbox
from billing.services.receiving import Owner, owner_of
from billing.services.transfers import find_twin, insert, lock, respell, row_of, spelling
from billing.twins import CASH_ACCOUNT
from kitehub.db.acting import acting


class CannotEnter(Exception):
    """It can't be entered or decided; the text says why, to people, and nothing was booked."""


class AlreadyTold(CannotEnter):
    """A bank feed or a statement has told the money; `transfer_id` is that line."""

    def __init__(self, transfer_id: UUID) -> None:
        super().__init__(
            _("The bank has told this money itself: assign that line instead of entering it.")
        )
        self.transfer_id = transfer_id


def enter_payment(
    *,
    order_id: UUID,
    kind: ManualPaymentKind,
    amount: int,
    received_at: datetime,
    reference: str,
    evidence: str,
    actor: str,
    reason: str,
    at: datetime,
    memo: str = "",
    payer_name: str = "",
) -> ManualPayment:
    """Says that some đồng have come for an order, and what proves it; another person confirms.

    Nothing is booked. Of a bank line `received_at` is the bank's time and `reference` the bank's;
    of cash, when it was handed over and the number of the paper that says so. Raises CannotEnter
    for an order that can't be paid, what is missing, a time that is still to come, and what was
    entered before; AlreadyTold where a feed or a statement has told the same line.
    """
    _check(amount, received_at, reference, evidence, reason, at)
    order = PaymentOrder.objects.filter(pk=order_id).select_related("instance").first()
    if order is None:
        raise CannotEnter(_("There is no such order."))
    _check_payable(order)
    payment = ManualPayment(
        order=order,
        kind=kind,
        amount=amount,
        received_at=received_at,
        account_number=_till_of(order) if kind == ManualPaymentKind.CASH else _account_of(order),
        reference=reference.strip(),
        reference_key=_key_of(reference),
        memo=memo.strip(),
        payer_name=payer_name.strip(),
        evidence=evidence.strip(),
        reason=reason.strip(),
        status=ManualPaymentStatus.REQUESTED,
        requested_by=actor,
        requested_at=at,
    )
    with transaction.atomic(), acting(actor, reason, at=at):
        row = _row(payment, at)
        respell([row])
        if (twin := find_twin(row)) is not None:
            raise AlreadyTold(twin)
        try:
            with transaction.atomic():
                payment.save(force_insert=True)
        except IntegrityError as error:
            if "manual_payments_reference_key" not in str(error):
                raise
            raise CannotEnter(
                _("A payment with the reference “%(reference)s” has been entered already.")
                % {"reference": payment.reference}
            ) from error
    return payment


def confirm_payment(
    *, payment_id: UUID, actor: str, at: datetime, decision: str = ""
) -> ManualPayment:
    """Confirms what another person entered: it is a bank line now, and pays its order.

    What is more than the order asks for is the school's credit or, of a course, waits for a
    person. Raises CannotEnter, for the person who entered it among others; AlreadyTold where the
    bank has told the line meanwhile.
    """
    with transaction.atomic(), acting(actor, decision, at=at):
        payment = _locked(payment_id)
        if actor == payment.requested_by:
            raise CannotEnter(_("Who entered a payment can't confirm it."))
        transfer = _tell(payment, at)
        reason = f"{payment.evidence} · {payment.requested_by}"[:500]
        _book(payment, transfer, actor=actor, reason=reason, at=at)
        # What was booked is told by other objects of the line.
        transfer.refresh_from_db()
        return _decide(
            payment,
            ManualPaymentStatus.CONFIRMED,
            actor=actor,
            at=at,
            decision=decision,
            transfer=transfer,
        )


def reject_payment(*, payment_id: UUID, actor: str, at: datetime, decision: str) -> ManualPayment:
    """Rejects what was entered; who entered it may do so too, and so takes it back.

    Raises CannotEnter, also for a missing reason.
    """
    if not decision.strip():
        raise CannotEnter(_("A rejection has its reason."))
    with transaction.atomic(), acting(actor, decision, at=at):
        payment = _locked(payment_id)
        return _decide(payment, ManualPaymentStatus.REJECTED, actor=actor, at=at, decision=decision)


def entered_for(order: PaymentOrder) -> QuerySet[ManualPayment]:
    """What was entered by hand for an order and isn't rejected, the oldest first."""
    rows = ManualPayment.objects.filter(order=order).exclude(status=ManualPaymentStatus.REJECTED)
    return rows.order_by("requested_at", "pk")


def told_alike(payment: ManualPayment) -> QuerySet[BankTransfer]:
    """Lines of as much that a bank has told for the same order, the oldest first."""
    rows = BankTransfer.objects.filter(allocations__order=payment.order_id, amount=payment.amount)
    rows = rows.exclude(provider=FeedProvider.MANUAL)
    return rows.distinct().order_by("transferred_at", "pk")


def waiting_alike(payment: ManualPayment) -> QuerySet[BankTransfer]:
    """Lines in the inbox that may be a payment's money, the oldest first: as much, on its account.

    What a person copies off a photo may lack, or have wrong, what would tell that they are one.
    """
    row = _row(payment, payment.requested_at)
    respell([row])
    return BankTransfer.objects.waiting_like(row).order_by("transferred_at", "pk")


# --- Parts --------------------------------------------------------------------------------------


def _check(
    amount: int, received_at: datetime, reference: str, evidence: str, reason: str, at: datetime
) -> None:
    if not 0 < amount <= MOST_DONG:
        raise CannotEnter(_("The amount is 1 đồng or more."))
    if received_at > at:
        raise CannotEnter(_("The time is still to come."))
    if not (_key_of(reference) and evidence.strip() and reason.strip()):
        raise CannotEnter(_("A payment by hand has a reference, its evidence and a reason."))


def _key_of(reference: str) -> str:
    """A reference as it is compared with others: people spell one in many ways."""
    return fold(reference).replace(" ", "")


def _check_payable(order: PaymentOrder) -> None:
    if order.deleted:
        raise CannotEnter(_("%(order)s is deleted.") % {"order": order.order_id})
    if order.status not in PAYABLE:
        raise CannotEnter(
            _("%(order)s can't be paid: %(status)s.")
            % {"order": order.order_id, "status": order.get_status_display()}
        )


def _account_of(order: PaymentOrder) -> str:
    """The number of the account on which an order is paid. Raises CannotEnter."""
    number: str | None = order.account_number
    if not number and order.type == PaymentType.ENROLLMENT:
        number = order.instance.account_number if order.instance else None
    elif not number:
        try:
            number = own_account().number
        except NoReceivingAccount:
            number = None
    if not number:
        raise CannotEnter(_("It isn't known on which account this order is paid."))
    return number


def _till_of(order: PaymentOrder) -> str:
    """Whose cash it is: of a course the school's, else KiteHub's. Each numbers its own papers."""
    owner = order.instance_id if order.type == PaymentType.ENROLLMENT else None
    return f"{CASH_ACCOUNT}:{owner or 'KITEHUB'}"


def _locked(payment_id: UUID) -> ManualPayment:
    rows = ManualPayment.objects.select_for_update(of=("self",), no_key=True)
    payment = rows.filter(pk=payment_id).select_related("order__instance").first()
    if payment is None or payment.status != ManualPaymentStatus.REQUESTED:
        raise CannotEnter(_("It has been decided already."))
    return payment


def _row(payment: ManualPayment, at: datetime) -> BankTransfer:
    """The bank line that a payment is. Its memo names the order where none is known."""
    order = payment.order
    said = Line(
        provider=FeedProvider.MANUAL,
        provider_id=str(payment.pk),
        account_number=_account_of(order),
        direction=TransferDirection.IN,
        amount=payment.amount,
        transferred_at=payment.received_at,
        memo=payment.memo or order.order_id,
        texts=(order.order_id,),
        counterparty_name=payment.payer_name,
        reference=payment.reference,
        bank=order.bank_bin or "",
        raw={
            "by": payment.requested_by,
            "kind": str(payment.kind),
            "evidence": payment.evidence,
            "reason": payment.reason,
        },
    )
    owner = owner_of(said.account_number, bank_name=said.bank) or Owner(
        said.account_number,
        order.instance_id if order.type == PaymentType.ENROLLMENT else None,
    )
    if payment.kind == ManualPaymentKind.CASH:
        # As the bank's lines have it, one of which may tell the cash again.
        spelled = spelling(owner.account_number, owner.instance_id)
        said = replace(said, virtual_account=spelled)
        owner = replace(owner, account_number=CASH_ACCOUNT)
    row = row_of(said, owner, at)
    row.state, row.reason = TransferState.UNMATCHED, UnmatchedReason.NO_CODE
    return row


def _tell(payment: ManualPayment, at: datetime) -> BankTransfer:
    """Stores the line, which is nobody else's to tell until the transaction ends."""
    row = _row(payment, at)
    lock([row])
    respell([row])
    if (twin := find_twin(row)) is not None:
        raise AlreadyTold(twin)
    insert([row])
    return BankTransfer.objects.get(pk=row.pk)


def _book(
    payment: ManualPayment, transfer: BankTransfer, *, actor: str, reason: str, at: datetime
) -> None:
    """Books the line on its order, and what is left as credit. Raises CannotEnter."""
    order = PaymentOrder.all_objects.select_related("instance").get(pk=payment.order_id)
    _check_payable(order)
    part = min(order.rest, transfer.amount)
    try:
        inbox.match_transfer(
            transfer_id=transfer.pk, parts=[(order.pk, part)], actor=actor, reason=reason, at=at
        )
        if transfer.amount > part and order.type == PaymentType.SUBSCRIPTION and order.instance:
            inbox.keep_transfer_as_credit(
                transfer_id=transfer.pk,
                instance=order.instance,
                actor=actor,
                reason=reason,
                at=at,
            )
    except inbox.CannotMatch as error:
        raise CannotEnter(str(error)) from error


def _decide(
    payment: ManualPayment,
    status: ManualPaymentStatus,
    *,
    actor: str,
    at: datetime,
    decision: str,
    transfer: BankTransfer | None = None,
) -> ManualPayment:
    payment.status = status
    payment.decided_by = actor
    payment.decided_at = at
    payment.decision = decision
    payment.transfer = transfer
    payment.save(update_fields=["status", "decided_by", "decided_at", "decision", "transfer"])
    return payment

"""How the API says an order, and what it takes for one."""

import unicodedata
from datetime import datetime
from typing import Annotated
from uuid import UUID

from ninja import Field, Schema
from pydantic import AfterValidator, ConfigDict, StringConstraints
from pydantic_core import PydanticCustomError

from billing.accounts import Account
from billing.enums import PaymentStatus
from billing.models import PaymentOrder
from billing.models.transfers import MOST_DONG
from billing.qr_links import qr_url
from billing.services.orders import payload_of, status_of, to_transfer

# Minutes for which an order may be open: as long as a transfer takes, and as a course's intake.
SHORTEST, LONGEST = 5, 30 * 24 * 60
_DAY = 24 * 60


def _plain(text: str) -> str:
    if any(unicodedata.category(character) in {"Cc", "Cs"} for character in text):
        raise PydanticCustomError("plain_text", "Text should have no control characters")
    return text


def _fits(longest: int) -> StringConstraints:
    return StringConstraints(strip_whitespace=True, min_length=1, max_length=longest)


Course = Annotated[str, _fits(100), AfterValidator(_plain)]
Student = Annotated[str, _fits(200), AfterValidator(_plain)]
Reference = Annotated[str, _fits(100), AfterValidator(_plain)]
Code = Annotated[str, _fits(50), AfterValidator(_plain)]


class OrderIn(Schema):
    """A course fee to be paid."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "example": {
                "amount": 1500000,
                "course_id": "TOAN9",
                "student_name": "Nguyễn Văn An",
                "client_reference": "GD-2026-0042",
            }
        },
    )

    amount: int = Field(strict=True, ge=1, le=MOST_DONG, description="In đồng, a whole number")
    course_id: Course
    student_name: Student
    client_reference: Reference | None = Field(
        None, description="Your own key of the order: asking again with it opens no second one"
    )
    expires_in_minutes: int = Field(_DAY, strict=True, ge=SHORTEST, le=LONGEST)


class BankOut(Schema):
    """Where the money goes; as it was when the order was opened."""

    bin: str
    name: str
    account_number: str
    account_name: str


class OrderOut(Schema):
    """A course fee, and what of it has come. Money is in đồng."""

    id: UUID
    code: str = Field(description="By which people, banks and these addresses know it")
    status: PaymentStatus = Field(description="EXPIRED in time, by the clock")
    amount: int
    paid_amount: int
    to_transfer: int = Field(description="What is still to be paid; 0 where nobody is to pay")
    memo: str | None = Field(description="Of the transfer, to be left as it is")
    bank: BankOut | None
    payload: str | None = Field(description="The VietQR text; null where nobody is to pay")
    qr_svg_url: str | None = Field(description="For a page: it needs no key. null as payload")
    qr_png_url: str | None
    created_at: datetime
    expires_at: datetime
    paid_at: datetime | None
    superseded_by: str | None = Field(description="The code of the order in its place")
    course_id: str | None
    student_name: str | None
    client_reference: str | None


class OrdersOut(Schema):
    """A page of orders, newest first."""

    items: list[OrderOut]
    next: str | None = Field(description="`cursor` of the next page; null at the end")


def order_out(order: PaymentOrder, *, at: datetime) -> OrderOut:
    """An order at a moment, as the API says it."""
    payload, status = payload_of(order, at=at), status_of(order, at=at)
    return OrderOut(
        id=order.pk,
        code=order.order_id,
        status=status,
        amount=order.amount,
        paid_amount=order.paid_amount,
        to_transfer=to_transfer(order) if status == PaymentStatus.PENDING else 0,
        memo=order.memo,
        bank=_bank(order),
        payload=payload,
        qr_svg_url=qr_url(order.order_id, "svg") if payload else None,
        qr_png_url=qr_url(order.order_id, "png") if payload else None,
        created_at=order.created_at,
        expires_at=order.expires_at,
        paid_at=order.paid_at,
        superseded_by=order.superseded_by.order_id if order.superseded_by else None,
        course_id=order.course_id,
        student_name=order.student_name,
        client_reference=order.client_reference,
    )


def _bank(order: PaymentOrder) -> BankOut | None:
    if not (order.bank_bin and order.account_number):
        return None
    account = Account(order.bank_bin, order.account_number, order.account_name or "")
    return BankOut(
        bin=account.bank_bin,
        name=account.bank_name,
        account_number=account.number,
        account_name=account.name,
    )

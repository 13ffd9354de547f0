"""Answers that show a receipt, as a page or as PDF. Who may see it is the caller's to check."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.translation import get_language

from billing.models import Receipt
from billing.receipts import texts
from billing.receipts.amount_words import amount_in_words
from billing.receipts.content import ReceiptContent
from billing.receipts.pdf import Paper, render
from kitehub.display import money


def receipt_page(
    request: HttpRequest, receipt: Receipt, *, pdf_url: str = "", back_url: str = ""
) -> TemplateResponse:
    """The receipt as a page of its own that prints like its PDF, in the active language."""
    context = _context(receipt.printed)
    voided_by = receipt.voided_by_code
    links = {"pdf_url": pdf_url, "back_url": back_url}
    return TemplateResponse(
        request, "billing/receipt.html", {**context, "voided_by": voided_by, **links}
    )


def receipt_pdf(receipt: Receipt, *, language: str | None = None, paper: Paper = "A5") -> bytes:
    """The receipt's PDF, stamped where it was made void; in the active language by default."""
    return render(
        receipt.printed,
        voided_by=receipt.voided_by_code,
        paper=paper,
        language=language or get_language() or "vi",
    )


def receipt_file(receipt: Receipt, *, paper: Paper = "A5") -> HttpResponse:
    """The PDF as a file that a browser shows, named by the receipt's number."""
    return HttpResponse(
        receipt_pdf(receipt, paper=paper),
        content_type="application/pdf",
        headers={
            "Content-Disposition": f'inline; filename="{receipt.code}.pdf"',
            "Cache-Control": "private, no-store",
        },
    )


def _context(content: ReceiptContent) -> dict[str, Any]:
    return {
        "content": content,
        "title": texts.title(content),
        "date": texts.day(content.issued_at),
        "what": texts.what(content),
        "amount": texts.amount(content),
        "words": amount_in_words(content.amount, language=get_language() or "vi"),
        "payments": [
            {"how": texts.how(payment), "amount": money(payment.amount)}
            for payment in content.payments
        ],
    }

"""A receipt as PDF: A5 across, or the same on the upper half of A4.

Drawn by hand on reportlab's canvas: one page whose places are known, with the project's own font,
of which only the letters that occur are embedded.
"""

import unicodedata
from collections.abc import Iterator
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Literal

from django.utils import translation
from django.utils.translation import gettext as _
from reportlab.lib.colors import HexColor
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas

from billing.receipts import texts
from billing.receipts.amount_words import amount_in_words
from billing.receipts.content import Payment, ReceiptContent
from kitehub.display import money

Paper = Literal["A5", "A4"]

_FONTS = Path(__file__).resolve().parent / "fonts"
_WIDTH, _HEIGHT = 210 * mm, 148 * mm
_A4_HEIGHT = 297 * mm
_LEFT, _RIGHT = 15 * mm, _WIDTH - 15 * mm
_LABELS = 38 * mm
_PLAIN, _BOLD = "KiteHub", "KiteHub-Bold"
_INK, _FAINT, _LINE = HexColor("#1f2937"), HexColor("#4b5563"), HexColor("#c4b5fd")
_BRAND, _TINT, _STAMP = HexColor("#7c3aed"), HexColor("#f5f3ff"), HexColor("#dc2626")
# More than these are summed up in one line: the page is one, and the order's page lists them all.
_PAYMENTS = 3


def render(
    content: ReceiptContent, *, voided_by: str = "", paper: Paper = "A5", language: str = "vi"
) -> bytes:
    """The PDF of a receipt; the same bytes for the same arguments, whenever it is asked for.

    `voided_by` is the number of the counter-entry: with it the page is stamped. Letters that the
    font lacks (it has Latin, Greek and Cyrillic) become `?`, texts too long for their place end
    in `…`.
    """
    _register_fonts()
    written = BytesIO()
    height = _A4_HEIGHT if paper == "A4" else _HEIGHT
    canvas = Canvas(written, pagesize=(_WIDTH, height), invariant=1, lang=language)
    canvas.setTitle(content.number)
    canvas.setAuthor(_clean(content.issuer.name))
    canvas.setProducer("KiteHub")
    canvas.setCreator("KiteHub")
    canvas.translate(0, height - _HEIGHT)
    with translation.override(language):
        canvas.setSubject(texts.title(content))
        page = _Page(canvas)
        _head(page, content)
        _body(page, content, language)
        _foot(page)
        if voided_by:
            _stamp(page, voided_by)
    canvas.showPage()
    canvas.save()
    return written.getvalue()


# --- What stands where ------------------------------------------------------------------------


def _head(page: "_Page", content: ReceiptContent) -> None:
    """The issuer on the left, number and date on the right, the title below."""
    _kite(page.canvas, x=_LEFT, top=_HEIGHT - 11 * mm)
    text, right = _LEFT + 13 * mm, _RIGHT - 55 * mm
    page.y = _HEIGHT - 15 * mm
    page.write(content.issuer.name, x=text, to=right, font=_BOLD, size=11)
    for line in content.issuer.details[:3]:
        page.y -= 4.2 * mm
        page.write(line, x=text, to=right, size=8, colour=_FAINT)
    page.y = _HEIGHT - 15 * mm
    page.write_right(_("No. %(number)s") % {"number": content.number}, font=_BOLD, size=11)
    page.y -= 5 * mm
    page.write_right(_("Date %(date)s") % {"date": texts.day(content.issued_at)}, size=9)
    page.y = _HEIGHT - 32 * mm
    page.rule(colour=_BRAND, width=1)
    page.y -= 10 * mm
    page.write_centred(texts.title(content).upper(), font=_BOLD, size=16)
    page.y -= 9 * mm


def _body(page: "_Page", content: ReceiptContent, language: str) -> None:
    """Who paid, for what, how much, and by which of the bank's lines."""
    page.row(_("Received from"), content.payer.name, font=_BOLD)
    if content.payer.details:
        page.row("", " · ".join(content.payer.details), colour=_FAINT)
    page.row(_("Order code"), content.order_code)
    if content.voids:
        page.row(_("Voids receipt"), content.voids, font=_BOLD)
        page.row(_("Reason"), content.reason or "–", most=2)
    page.y -= 2 * mm
    page.sum(texts.what(content), texts.amount(content))
    words = amount_in_words(content.amount, language=language)
    page.row(_("Amount in words"), f"{words}.", font=_BOLD, most=2)
    for place, (how, amount) in enumerate(_payments(content.payments)):
        page.row("" if place else _("Paid by"), how, amount=money(amount))


def _payments(payments: tuple[Payment, ...]) -> Iterator[tuple[str, int]]:
    """How it was paid, a line and an amount each; what has no place is summed up."""
    shown = payments if len(payments) <= _PAYMENTS else payments[: _PAYMENTS - 1]
    for payment in shown:
        yield texts.how(payment), payment.amount
    if rest := payments[len(shown) :]:
        total = sum(payment.amount for payment in rest)
        yield _("%(count)d more payments") % {"count": len(rest)}, total


def _foot(page: "_Page") -> None:
    page.y = 17 * mm
    page.rule(colour=_LINE, width=0.5)
    page.y -= 4.5 * mm
    page.write_centred(_("This is a receipt for a payment, not a VAT invoice."), font=_BOLD, size=8)
    page.y -= 4 * mm
    page.write_centred(
        _("Issued by computer and valid without signature or seal."), size=8, colour=_FAINT
    )


def _stamp(page: "_Page", voided_by: str) -> None:
    """VOID across the page, translucent so that what is under it can be read."""
    canvas = page.canvas
    word, note = _("VOID"), _("by receipt %(number)s") % {"number": voided_by}
    canvas.saveState()
    canvas.translate(_WIDTH * 0.6, 47 * mm)
    canvas.rotate(12)
    canvas.setFillColor(_STAMP, alpha=0.55)
    canvas.setStrokeColor(_STAMP, alpha=0.55)
    canvas.setLineWidth(2.5)
    half = max(pdfmetrics.stringWidth(word, _BOLD, 46), 60 * mm) / 2 + 8 * mm
    canvas.roundRect(-half, -14 * mm, 2 * half, 31 * mm, 3 * mm)
    canvas.setFont(_BOLD, 46)
    canvas.drawCentredString(0, -1 * mm, word)
    canvas.setFont(_BOLD, 12)
    canvas.drawCentredString(0, -10 * mm, note)
    canvas.restoreState()


def _kite(canvas: Canvas, *, x: float, top: float) -> None:
    """The sign of KiteHub, as kite.svg has it."""
    scale = 10 * mm / 28
    canvas.saveState()
    canvas.translate(x, top)
    canvas.scale(scale, -scale)
    canvas.translate(-5, -2)
    canvas.setFillColor(_BRAND)
    kite = canvas.beginPath()
    kite.moveTo(16, 2)
    for corner in ((27, 13), (16, 30), (5, 13)):
        kite.lineTo(*corner)
    kite.close()
    canvas.drawPath(kite, stroke=0, fill=1)
    canvas.setStrokeColor(HexColor("#ffffff"))
    canvas.setLineWidth(1.5)
    canvas.line(16, 2, 16, 30)
    canvas.line(5, 13, 27, 13)
    canvas.restoreState()


# --- How it is put there ----------------------------------------------------------------------


class _Page:
    """A canvas with the height of the line that is written next, in points from below."""

    def __init__(self, canvas: Canvas) -> None:
        self.canvas = canvas
        self.y = _HEIGHT

    def write(
        self,
        text: str,
        *,
        x: float = _LEFT,
        to: float = _RIGHT,
        font: str = _PLAIN,
        size: float = 9.5,
        colour: HexColor = _INK,
    ) -> None:
        """Writes one line from x, which ends in `…` where it would run over `to`."""
        self._use(font, size, colour)
        self.canvas.drawString(x, self.y, _fitting(_clean(text), font, size, to - x))

    def write_right(self, text: str, *, font: str = _PLAIN, size: float = 9.5) -> None:
        """Writes one line that ends at the right margin."""
        self._use(font, size, _INK)
        self.canvas.drawRightString(_RIGHT, self.y, _clean(text))

    def write_centred(
        self, text: str, *, font: str = _PLAIN, size: float, colour: HexColor = _INK
    ) -> None:
        """Writes one line in the middle."""
        self._use(font, size, colour)
        self.canvas.drawCentredString(_WIDTH / 2, self.y, _clean(text))

    def rule(self, *, colour: HexColor, width: float) -> None:
        """Draws a line from margin to margin."""
        self.canvas.setStrokeColor(colour)
        self.canvas.setLineWidth(width)
        self.canvas.line(_LEFT, self.y, _RIGHT, self.y)

    def row(
        self,
        label: str,
        text: str,
        *,
        font: str = _PLAIN,
        colour: HexColor = _INK,
        most: int = 1,
        amount: str = "",
    ) -> None:
        """Writes a label, its text over at most `most` lines, and an amount at the margin."""
        if label:
            self.write(f"{label}:", to=_LEFT + _LABELS, colour=_FAINT)
        width = _RIGHT - _LEFT - _LABELS
        if amount:
            self.write_right(amount)
            width -= pdfmetrics.stringWidth(amount, _PLAIN, 9.5) + 4 * mm
        for line in _wrapped(_clean(text), font, 9.5, width, most):
            self.write(line, x=_LEFT + _LABELS, font=font, colour=colour)
            self.y -= 5.4 * mm

    def sum(self, what: str, amount: str) -> None:
        """Draws the box that says for what, and how much."""
        height = 11 * mm
        self.canvas.setFillColor(_TINT)
        self.canvas.setStrokeColor(_LINE)
        self.canvas.setLineWidth(0.5)
        bottom = self.y - height + 4.5 * mm
        self.canvas.roundRect(_LEFT, bottom, _RIGHT - _LEFT, height, 1.5 * mm, fill=1)
        self.y = bottom + 4 * mm
        width = pdfmetrics.stringWidth(amount, _BOLD, 14)
        self.write(what, x=_LEFT + 4 * mm, to=_RIGHT - 8 * mm - width)
        self._use(_BOLD, 14, _INK)
        self.canvas.drawRightString(_RIGHT - 4 * mm, self.y - 0.6 * mm, amount)
        self.y = bottom - 7 * mm

    def _use(self, font: str, size: float, colour: HexColor) -> None:
        self.canvas.setFont(font, size)
        self.canvas.setFillColor(colour)


def _wrapped(text: str, font: str, size: float, width: float, most: int) -> list[str]:
    """A text as at most so many lines of a width; the last one ends in `…` if it doesn't fit."""
    lines: list[str] = []
    words = text.split(" ")
    while words and len(lines) < most - 1:
        count = len(words)
        while count > 1 and pdfmetrics.stringWidth(" ".join(words[:count]), font, size) > width:
            count -= 1
        lines.append(_fitting(" ".join(words[:count]), font, size, width))
        words = words[count:]
    return [*lines, _fitting(" ".join(words), font, size, width)] if words else lines


def _fitting(text: str, font: str, size: float, width: float) -> str:
    if pdfmetrics.stringWidth(text, font, size) <= width:
        return text
    while text and pdfmetrics.stringWidth(f"{text}…", font, size) > width:
        text = text[:-1]
    return f"{text.rstrip()}…"


def _clean(text: str) -> str:
    """A text in letters that the font has: composed, and `?` for what it lacks."""
    has = _letters()
    # Blanks that don't break are kept; every other blank or control character is a plain blank.
    composed = unicodedata.normalize("NFC", text)
    spaced = "".join(" " if c.isspace() and c != "\u00a0" else c for c in composed).strip()
    return "".join(c if ord(c) in has else "?" for c in spaced)


@cache
def _register_fonts() -> None:
    for name, file in ((_PLAIN, "NotoSans-Regular.ttf"), (_BOLD, "NotoSans-Bold.ttf")):
        pdfmetrics.registerFont(TTFont(name, str(_FONTS / file)))


@cache
def _letters() -> frozenset[int]:
    _register_fonts()
    return frozenset(pdfmetrics.getFont(_PLAIN).face.charToGlyph)

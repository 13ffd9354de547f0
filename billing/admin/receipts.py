"""Receipts in the admin: as page and PDF, and made void by a counter-entry."""

from typing import Any, ClassVar

from django.contrib import admin
from django.contrib.admin.models import CHANGE
from django.db.models import F, Func, Q, Sum, TextField, Value
from django.http import Http404, HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.decorators import action, display

from billing.admin.details import ReceiptDetails
from billing.admin.stored_words import Booked, actor_words
from billing.enums import ReceiptKind
from billing.models import PaymentOrder, Receipt, ReceiptCounter
from billing.receipts.content import SERIES, read_number
from billing.receipts.pages import receipt_file, receipt_page
from billing.services import receipts
from kitehub.backoffice import AuditAdmin, Audited
from kitehub.backoffice.audit import Refusal, actor_of, lead_to, reason_of
from kitehub.backoffice.dialogs import RetypedDialog, without_actions
from kitehub.backoffice.exports import Column, amount
from kitehub.backoffice.filters import AmountRangeFilter, DayRangeFilter
from kitehub.backoffice.labels import Label
from kitehub.backoffice.names import instances_at
from kitehub.backoffice.tabs import tabs_of
from kitehub.display import money

# As `receipt_number` writes it.
_CODE = Func(
    Value(f"{SERIES}%s-%s"),
    F("year"),
    Func(F("number"), Value("FM000000"), function="to_char", output_field=TextField()),
    function="format",
    output_field=TextField(),
)
KIND_COLOURS = {ReceiptKind.RECEIPT.value: "success", ReceiptKind.VOID.value: "danger"}


class VoidDialog(RetypedDialog):
    """Asks why, and for the receipt's number again: what is void stays void."""

    model = Receipt

    def code_of_row(self) -> str:
        """Its number."""
        return self.row.code if self.row else ""


@admin.register(Receipt)
class ReceiptAdmin(ReceiptDetails, Booked, Audited, AuditAdmin):
    """Receipts, by number."""

    list_display = ("code_text", "kind_label", "instance", "amount_text", "order", "issued_at")
    export_columns: ClassVar = (
        Column(_CODE, _("number")),
        "kind",
        "issued_at",
        amount("amount"),
        "order__order_id",
        Column("instance__organization_name", _("instance")),
        Column("created_by", words=actor_words),
        "id",
    )
    list_filter = (("issued_at", DayRangeFilter), ("amount", AmountRangeFilter))
    tabs = tabs_of("kind", ReceiptKind)
    more_orders = (("-amount", "-year", "-number"), ("-issued_at",))
    search_amount = "amount"
    sums: ClassVar[Any] = {_("Total"): Sum("amount")}
    nothing_yet = _("An order that is paid gets its receipt by itself.")
    list_select_related = ("instance", "order")
    ordering = ("-year", "-number")
    search_uuids = ("id", "instance_id", "order_id")
    search_help_text = _("Number, order code, subdomain, ID or amount")
    actions_detail: ClassVar[Any] = ("page", "pdf", "void")
    fields = (
        ("code_text", "kind_label"),
        "amount_text",
        ("order", "instance"),
        ("voids", "voided_by_text"),
        ("issued_at", "booked_by"),
    )
    readonly_fields = ("code_text", "kind_label", "amount_text", "voided_by_text", "booked_by")

    def has_void_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Who may make receipts void: by Django's permissions, change them."""
        return bool(request.user.has_perm("billing.change_receipt"))

    @action(description=_("Page"), icon="visibility", permissions=["view"], url_path="page")
    def page(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """The receipt as whoever paid sees it."""
        receipt = self._receipt(request, object_id)
        links = {
            "back_url": self._page("change", receipt.pk),
            "pdf_url": self._page("pdf", receipt.pk),
        }
        return receipt_page(request, receipt, **links)

    @action(description=_("PDF"), icon="picture_as_pdf", permissions=["view"], url_path="pdf")
    def pdf(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """The receipt as PDF."""
        return receipt_file(self._receipt(request, object_id))

    @action(
        description=_("Make void"),
        icon="cancel",
        permissions=["void"],
        url_path="void",
        dialog={
            "title": _("Make this receipt void?"),
            "description": _(
                "It stays, with a stamp; a receipt with a number of its own takes it back. "
                "The money stays where it is: to give it back, refund the order."
            ),
            "form_class": VoidDialog,
            "form_submit_text": _("Make void"),
        },
    )
    def void(self, request: HttpRequest, form: Any, object_id: str) -> HttpResponse:
        """Makes the receipt void."""
        receipt = self._receipt(request, object_id)
        if receipt.kind != ReceiptKind.RECEIPT or receipt.voided_by_code:
            raise Refusal(gettext("“%(row)s” is void already.") % {"row": receipt})
        counter = receipts.void(
            receipt=receipt,
            reason=reason_of(request),
            actor=actor_of(request),
            at=timezone.now(),
        )
        self.log(request, [receipt], CHANGE, [{"changed": {"fields": ["kind"]}}])
        said = gettext("“%(row)s” is void by “%(counter)s”.") % {"row": receipt, "counter": counter}
        self.message_user(request, said)
        return lead_to(request, self._page("change", receipt.pk))

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> Any:
        """Offers to make void only what isn't."""
        receipt = context.get("original")
        if receipt and (receipt.kind != ReceiptKind.RECEIPT or receipt.voided_by_code):
            without_actions(context, "void")
        return super().render_change_form(request, context, *args, **kwargs)

    def _receipt(self, request: HttpRequest, object_id: str) -> Receipt:
        receipt: Receipt | None = self.get_object(request, object_id)
        if receipt is None:
            raise Http404
        return receipt

    def related_matches(self, term: str) -> Q:
        """The receipt with this number, or those of an order's code or an instance's subdomain."""
        matches = Q()
        if number := read_number(term):
            matches |= Q(year=number[0], number=number[1])
        if instances := instances_at(term):
            matches |= Q(instance_id__in=instances)
        orders = PaymentOrder.all_objects.filter(order_id=term.upper()).values_list("id", flat=True)
        if found := list(orders):
            matches |= Q(order_id__in=found)
        return matches

    @display(description=_("number"))
    def code_text(self, receipt: Receipt) -> str:
        """The number as people write it."""
        return receipt.code

    @display(description=_("kind"), ordering="kind", label=KIND_COLOURS)
    def kind_label(self, receipt: Receipt) -> Label:
        """The kind as a coloured label."""
        return Label(receipt.kind, receipt.get_kind_display())

    @display(description=_("amount"), ordering="amount")
    def amount_text(self, receipt: Receipt) -> str:
        """The amount as money."""
        return money(receipt.amount)

    @display(description=_("void by"))
    def voided_by_text(self, receipt: Receipt) -> str:
        """The number of the receipt that takes it back."""
        return receipt.voided_by_code or "–"


@admin.register(ReceiptCounter)
class ReceiptCounterAdmin(AuditAdmin):
    """The last number of each year."""

    small = "A row a year."
    search_uuids: ClassVar[Any] = ()
    search_fields = ()

    nothing_yet = _("A year's numbers begin with its first receipt.")
    list_display = ("year", "last")
    ordering = ("-year",)

"""Where a school's students pay to, and whose it is: changed by who may do everything."""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.contrib.admin.models import CHANGE
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext, gettext_lazy
from unfold.decorators import action
from unfold.widgets import UnfoldAdminEmailInputWidget, UnfoldAdminSelectWidget
from unfold.widgets import UnfoldAdminTextInputWidget as TextWidget

from billing import banks
from billing.services import bank_accounts
from billing.services.bank_accounts import BankAccount, set_bank_account
from kitehub.admin.levers.asking import DangerousDialog, school_of
from kitehub.backoffice import history
from kitehub.backoffice.audit import Refusal, actor_of, lead_to, reason_of
from kitehub.backoffice.dialogs import Line, without_actions
from kitehub.backoffice.rehearsals import PlannedDialog
from kitehub.models import Instance, User
from kitehub.services.owners import change_owner

ACCOUNT, OWNER = "change-bank-account", "change-owner"
ACCOUNT_COLUMNS = ("bank_code", "bank_name", "account_number", "account_name")
_UNSAID = "–"


class AccountDialog(PlannedDialog, DangerousDialog):
    """Asks for the account, and shows which one it takes the place of."""

    bank_code = forms.ChoiceField(
        label=gettext_lazy("Bank"),
        choices=lambda: [(bank.bin, f"{bank.short_name} – {bank.name}") for bank in banks.BANKS],
        widget=UnfoldAdminSelectWidget,
    )
    account_number = forms.CharField(
        label=gettext_lazy("Account number"),
        max_length=50,
        widget=TextWidget(attrs={"autocomplete": "off"}),
    )
    account_name = forms.CharField(
        label=gettext_lazy("Account holder"),
        max_length=200,
        widget=TextWidget(attrs={"autocomplete": "off"}),
    )

    def clean_account_number(self) -> str:
        """The number without the way it was grouped."""
        return bank_accounts.clean_account_number(self.cleaned_data["account_number"])

    def clean_account_name(self) -> str:
        """The holder as banks write them."""
        return bank_accounts.clean_account_name(self.cleaned_data["account_name"])

    def account(self, school: Instance) -> BankAccount:
        """What was entered, with the memo that the school has."""
        said = self.cleaned_data
        return BankAccount(
            bank_code=said["bank_code"],
            account_number=said["account_number"],
            account_name=said["account_name"],
            qr_template=school.qr_template or "",
        )

    def attempt(self, actor: str) -> Sequence[Line]:
        """Changes it."""
        school = _living(self.row.pk)
        before = _account_of(school)
        set_bank_account(school=school, account=self.account(school), actor=actor, reason=_UNSAID)
        told = school.owner.email if school.owner else gettext("nobody")
        return [
            Line(gettext("Account until now"), before),
            Line(gettext("Then"), _account_of(school), warns=True),
            Line(gettext("Open orders"), gettext("keep the account that they have")),
            Line(gettext("Told by mail"), told, warns=school.owner is None),
        ]


class OwnerDialog(PlannedDialog, DangerousDialog):
    """Asks for the new owner's address, of an account that is there."""

    email = forms.EmailField(
        label=gettext_lazy("E-mail address of the new owner"),
        widget=UnfoldAdminEmailInputWidget(attrs={"autocomplete": "off"}),
    )

    def clean_email(self) -> User:
        """The person who signs in with the address."""
        found = User.objects.filter(email=self.cleaned_data["email"], is_active=True).first()
        if found is None:
            raise ValidationError(gettext("No active account has this address."))
        if self.row is not None and self.row.owner_id == found.pk:
            raise ValidationError(gettext("The school is theirs already."))
        return found

    def attempt(self, actor: str) -> Sequence[Line]:
        """Gives the school to them."""
        school = _living(self.row.pk)
        before, owner = school.owner, self.cleaned_data["email"]
        change_owner(school=school, owner=owner, actor=actor, reason=_UNSAID)
        told = [person.email for person in (owner, before) if person]
        return [
            Line(gettext("Owner until now"), _person(before)),
            Line(gettext("Then"), _person(school.owner), warns=True),
            Line(gettext("Told by mail"), ", ".join(told)),
        ]


class HandsSchoolsOver:
    """For the admin of instances: another bank account, and another owner."""

    def has_change_bank_account_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Those who may say where a school's students pay to."""
        return bool(request.user.has_perm("kitehub.change_bank_account"))

    def has_change_owner_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Those who may say whose a school is."""
        return bool(request.user.has_perm("kitehub.change_owner"))

    @action(
        description=gettext_lazy("Change bank account"),
        icon="account_balance",
        permissions=["change_bank_account"],
        url_path=ACCOUNT,
        dialog={
            "title": gettext_lazy("Change the bank account for course fees?"),
            "description": gettext_lazy(
                "From now on the school's students pay to the new account. The owner is told by "
                "mail."
            ),
            "form_class": AccountDialog,
            "form_submit_text": gettext_lazy("Change bank account"),
        },
    )
    def change_bank_account(
        self, request: HttpRequest, form: AccountDialog, object_id: str
    ) -> HttpResponse:
        """Stores the account as the portal does."""
        school = _living(school_of(object_id).pk)
        before = {name: getattr(school, name) for name in ACCOUNT_COLUMNS}
        actor, reason = actor_of(request), reason_of(request)
        set_bank_account(school=school, account=form.account(school), actor=actor, reason=reason)
        after = {name: getattr(school, name) for name in ACCOUNT_COLUMNS}
        return self._handed_over(request, school, before, after)

    @action(
        description=gettext_lazy("Change owner"),
        icon="person_edit",
        permissions=["change_owner"],
        url_path=OWNER,
        dialog={
            "title": gettext_lazy("Give this school to another owner?"),
            "description": gettext_lazy(
                "The new owner opens its pages and can change its bank account; the one before "
                "can't any more. Both are told by mail."
            ),
            "form_class": OwnerDialog,
            "form_submit_text": gettext_lazy("Change owner"),
        },
    )
    def change_owner(self, request: HttpRequest, form: OwnerDialog, object_id: str) -> HttpResponse:
        """Gives the school to somebody else."""
        school = _living(school_of(object_id).pk)
        before = {"owner": str(school.owner_id)}
        actor, reason = actor_of(request), reason_of(request)
        change_owner(school=school, owner=form.cleaned_data["email"], actor=actor, reason=reason)
        return self._handed_over(request, school, before, {"owner": str(school.owner_id)})

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> Any:
        """Offers nothing of a deleted row."""
        row = context.get("original")
        if row is None or row.deleted:
            without_actions(context, ACCOUNT, OWNER)
        return super().render_change_form(request, context, *args, **kwargs)  # type: ignore[misc]

    def _handed_over(
        self, request: HttpRequest, school: Instance, before: dict[str, Any], after: dict[str, Any]
    ) -> HttpResponse:
        its: Any = self
        part = history.values_part(before, after)
        its.log(request, [school], CHANGE, [{"changed": {"fields": list(after)}}, *part])
        its.message_user(request, gettext("“%(row)s” is changed.") % {"row": school})
        return lead_to(request, its._page("change", school.pk))


def _living(key: Any) -> Instance:
    """A school's row as it is now; raises Refusal for a deleted one."""
    school = Instance.objects.select_related("owner").filter(pk=key).first()
    if school is None:
        raise Refusal(gettext("This row is deleted. Restore it before changing it."))
    return school


def _account_of(school: Instance) -> str:
    said = [school.bank_name or school.bank_code, school.account_number, school.account_name]
    return " · ".join(filter(None, said)) or gettext("none")


def _person(user: User | None) -> str:
    return f"{user} · {user.email}" if user else gettext("nobody")

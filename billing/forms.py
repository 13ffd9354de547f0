"""Forms of the owners' pages about money."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from billing import banks
from billing.services import bank_accounts
from billing.services.bank_accounts import BankAccount
from kitehub.models import Instance


def _banks() -> list[tuple[str, str]]:
    named = [(bank.bin, f"{bank.short_name} – {bank.name}") for bank in banks.BANKS]
    return [("", ""), *named]


class BankAccountForm(forms.Form):
    """Where a school's students transfer their money, and what their memos say."""

    bank_code = forms.ChoiceField(
        label=_("Bank"),
        choices=_banks,
        error_messages={"invalid_choice": _("Choose a bank from the list.")},
    )
    account_number = forms.CharField(
        label=_("Account number"),
        max_length=50,
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
        help_text=_("6 to 19 digits or letters. Zeros at the front belong to it."),
    )
    account_name = forms.CharField(
        label=_("Account holder"),
        max_length=200,
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
        help_text=_("As the bank has it; it is stored in capitals without accents."),
    )
    qr_template = forms.CharField(
        label=_("Text of the memo"),
        max_length=bank_accounts.TEMPLATE_LENGTH,
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
        help_text=_(
            "It follows the order's code, as far as 25 characters go. You may use {courseId}, "
            "{studentName} and {timestamp}."
        ),
    )

    @classmethod
    def of(cls, school: Instance) -> "BankAccountForm":
        """The form with what is stored."""
        return cls(initial={name: getattr(school, name) for name in cls.base_fields})

    def clean_bank_code(self) -> str:
        """A bank's BIN."""
        return bank_accounts.clean_bank(self.cleaned_data["bank_code"])

    def clean_account_number(self) -> str:
        """The number without the way it was grouped."""
        return bank_accounts.clean_account_number(self.cleaned_data["account_number"])

    def clean_account_name(self) -> str:
        """The holder as banks write them."""
        return bank_accounts.clean_account_name(self.cleaned_data["account_name"])

    def clean_qr_template(self) -> str:
        """The text with known variables only."""
        return bank_accounts.clean_template(self.cleaned_data["qr_template"])

    def account(self) -> BankAccount:
        """What was entered, cleaned."""
        said: dict[str, Any] = self.cleaned_data
        return BankAccount(**said)

"""What staff are asked before a statement is imported: the file, and which column is what."""

import hashlib
import json
from collections.abc import Sequence
from typing import Any

from django import forms
from django.utils.text import capfirst
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.widgets import (
    UnfoldAdminFileFieldWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextInputWidget,
    UnfoldBooleanWidget,
)

from billing.accounts import NoReceivingAccount, own_account
from billing.models import StatementMapping
from billing.services.statement_files import KeptFile
from billing.statements import BadMapping, Mapping, Preview, Role
from billing.statements.columns import fold
from billing.statements.files import LARGEST_BYTES, MOST_COLUMNS
from kitehub.models import Instance

# More would make the page slow; any number can be typed.
_MOST_OFFERED = 500
_LONGEST_HEADER = 200
_ROLES = {
    Role.DATE: _("date of the line"),
    Role.CREDIT: _("money in"),
    Role.DEBIT: _("money out"),
    Role.AMOUNT: _("money in and out in one column"),
    Role.SIGN: _("column that says in or out"),
    Role.MEMO: _("memo"),
    Role.REFERENCE: _("bank reference"),
    Role.BALANCE: _("balance after"),
    Role.COUNTERPARTY_NAME: _("payer's name"),
    Role.COUNTERPARTY_ACCOUNT: _("payer's account"),
    Role.COUNTERPARTY_BANK: _("payer's bank"),
}


class FileForm(forms.Form):
    """Asks for the file, its account, and how it is to be read."""

    file = forms.FileField(
        label=_("file"),
        # The parser says it in our words.
        allow_empty_file=True,
        widget=UnfoldAdminFileFieldWidget(attrs={"accept": ".csv,.txt,.xlsx"}),
        help_text=_("CSV or XLSX, as the bank's site gives it. Up to 10 MB."),
    )
    account_number = forms.CharField(
        label=_("account number"),
        required=False,
        max_length=50,
        widget=UnfoldAdminTextInputWidget(attrs={"list": "accounts", "autocomplete": "off"}),
        help_text=_("KiteHub's or a school's. Empty: the one that the file names."),
    )
    format = forms.ModelChoiceField(
        label=_("statement format"),
        required=False,
        queryset=StatementMapping.objects.order_by("name"),
        empty_label=_("By the words above the columns"),
        widget=UnfoldAdminSelectWidget,
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for field in self.fields.values():
            field.label = capfirst(field.label)

    def clean_file(self) -> Any:
        """A file that is too large isn't read."""
        file = self.cleaned_data["file"]
        if (file.size or 0) > LARGEST_BYTES:
            raise forms.ValidationError(
                gettext("The file is larger than 10 MB. Split it by month.")
            )
        return file

    def mapping(self) -> Mapping | None:
        """The saved format as it was chosen. Raises BadMapping for one that can't be read."""
        chosen: StatementMapping | None = self.cleaned_data["format"]
        return Mapping.from_dict(chosen.mapping) if chosen else None


class ColumnsForm(forms.Form):
    """Asks which column is what."""

    month_first = forms.BooleanField(
        label=_("The month comes before the day"), required=False, widget=UnfoldBooleanWidget
    )
    format_name = forms.CharField(
        label=_("Save as format"),
        required=False,
        max_length=100,
        widget=UnfoldAdminTextInputWidget,
        help_text=_("A name for the next file of this bank. A format of this name is replaced."),
    )

    def __init__(self, *args: Any, file: KeptFile, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.file = file
        for role, label in _ROLES.items():
            self.fields[role.value] = forms.ChoiceField(
                label=capfirst(label),
                required=False,
                choices=[("", "–"), *file.columns],
                widget=UnfoldAdminSelectWidget,
            )
        self.order_fields([*(role.value for role in _ROLES), "month_first", "format_name"])

    def clean(self) -> dict[str, Any]:
        """Columns that no line can be read from are refused."""
        cleaned = super().clean() or self.cleaned_data
        if not self.errors:
            try:
                cleaned["mapping"] = self._mapping(cleaned)
            except BadMapping as bad:
                name = bad.field.removeprefix("columns.")
                self.add_error(name if name in self.fields else None, str(bad.reason))
        return cleaned

    def _mapping(self, cleaned: dict[str, Any]) -> Mapping:
        return Mapping(
            columns={role: cleaned[role.value] for role in _ROLES if cleaned[role.value]},
            encoding=self.file.encoding,
            delimiter=self.file.delimiter,
            month_first=cleaned["month_first"],
        )


def initial_of(mapping: Mapping, file: KeptFile) -> dict[str, Any]:
    """What the form of columns shows of a mapping: the columns by the names that it offers."""
    offered = {fold(label.partition(". ")[2]): name for name, label in reversed(file.columns)}
    offered |= {f"#{place}": name for place, (name, _label) in enumerate(file.columns, start=1)}
    columns = {
        role.value: offered.get(header if header.startswith("#") else fold(header), "")
        for role, header in mapping.columns.items()
    }
    return {**columns, "month_first": mapping.month_first}


def digest(mapping: Mapping) -> str:
    """A short name for a mapping: the same for the same one."""
    text = json.dumps(mapping.to_dict(), sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def columns_of(shown: Preview) -> tuple[tuple[str, str], ...]:
    """The columns that a file has: each by its header where that is its own, else by its number.

    By numbers alone where the file is read so, for then it has no row of headers.
    """
    headers = shown.headers or _likely_headers(shown.rows)
    wide = max((len(row) for row in shown.rows), default=0)
    names = [*headers, *[""] * (wide - len(headers))][:MOST_COLUMNS]
    folded = [fold(name) for name in names]
    numbered = shown.mapping is not None and not shown.headers
    return tuple(
        (
            name if _is_name(name) and folded.index(told) == place and not numbered else number,
            f"{place + 1}. {name}" if name else number,
        )
        for place, (name, told) in enumerate(zip(names, folded, strict=True))
        for number in [f"#{place + 1}"]
    )


def _is_name(header: str) -> bool:
    return bool(fold(header)) and len(header) <= _LONGEST_HEADER and not header.startswith("#")


def _likely_headers(rows: Sequence[Sequence[str]]) -> Sequence[str]:
    """The first of the fullest rows, if no cell of it has a digit: data has some."""
    fullest = max(rows, key=lambda row: sum(map(bool, row)), default=())
    return () if any(letter.isdigit() for cell in fullest for letter in cell) else fullest


def accounts() -> list[tuple[str, str]]:
    """The accounts that are paid to, KiteHub's first: numbers, and whose they are."""
    try:
        offered = [(own_account().number, "KiteHub")]
    except NoReceivingAccount:
        offered = []
    schools = Instance.objects.exclude(account_number=None).exclude(account_number="")
    named = schools.order_by("subdomain").values_list("account_number", "subdomain")
    return offered + [(str(number), name) for number, name in named[:_MOST_OFFERED]]

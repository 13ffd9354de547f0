"""Dialogs of rows that are sums with a state: the sum is typed again before money moves."""

import re

from django.core.exceptions import ValidationError
from django.utils.translation import gettext

from kitehub.backoffice.dialogs import RetypedDialog, WhyDialog


class StateDialog(WhyDialog):
    """Of a row that has no version but a state: what was sent in another one is shown again."""

    @property
    def _version(self) -> str:
        return str(self.row.status) if self.row else ""


class AmountDialog(StateDialog, RetypedDialog):
    """Asks for the row's amount again, however its thousands are grouped."""

    def sum_of_row(self) -> int:
        """What is typed again: the amount."""
        return int(self.row.amount)

    def code_of_row(self) -> str:
        """It, as people write it."""
        return f"{self.sum_of_row():,}".replace(",", ".") if self.row else ""

    def clean_retyped(self) -> str:
        """What was typed, where it is the amount."""
        typed: str = self.cleaned_data["retyped"]
        if self.row is None or re.sub(r"[\s.,₫đ]", "", typed) != str(self.sum_of_row()):
            raise ValidationError(gettext("That is not what is to be typed here."))
        return typed

"""Dialogs in which a sum is typed again before money moves."""

import re

from django.core.exceptions import ValidationError
from django.utils.translation import gettext

from kitehub.backoffice.dialogs import RetypedDialog, WhyDialog


class StateDialog(WhyDialog):
    """Of a row that has no version but a state: what was sent in another one is shown again."""

    @property
    def _version(self) -> str:
        return str(self.row.status) if self.row else ""


class SumDialog(RetypedDialog):
    """Asks for a sum of the row again, however its thousands are grouped."""

    def sum_of_row(self) -> int:
        """What has to be typed, in đồng; the row's amount unless a dialog says otherwise."""
        amount: int = self.row.amount
        return amount

    def code_of_row(self) -> str:
        """The sum, as people write it."""
        return f"{self.sum_of_row():,}".replace(",", ".") if self.row else ""

    def clean_retyped(self) -> str:
        """What was typed, where it is the sum."""
        typed: str = self.cleaned_data["retyped"]
        if self.row is None or re.sub(r"[\s.,₫đ]", "", typed) != str(self.sum_of_row()):
            raise ValidationError(gettext("That is not what is to be typed here."))
        return typed


class AmountDialog(StateDialog, SumDialog):
    """Of a row that is a sum with a state: asks for its amount again."""

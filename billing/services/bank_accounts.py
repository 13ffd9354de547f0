"""The bank account that a school takes its students' money on."""

import re
import unicodedata
from dataclasses import dataclass

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext_lazy as _

from billing import banks
from billing.accounts import same_number
from billing.plain_text import fold
from kitehub.db.acting import acting
from kitehub.models import Instance
from kitehub.services import emails

HOLDER_LENGTH = 70
TEMPLATE_LENGTH = 500
VARIABLES = ("courseId", "studentName", "timestamp")
# Blanks, dots and hyphens, by which banks print numbers in groups.
_GROUPING = re.compile(r"[\s.\-]+")


@dataclass(frozen=True, slots=True)
class BankAccount:
    """Where a school takes money, as it is stored, and the text of its transfers' memos."""

    bank_code: str
    account_number: str
    account_name: str
    qr_template: str


def set_bank_account(
    *, school: Instance, account: BankAccount, actor: str, reason: str = "bank account"
) -> None:
    """Stores an account that `clean_…` has seen; orders that are open keep the one they have.

    The owner is told by mail, as whoever can change it can take the school's money. `school` is
    written at the version that it has: raises StaleRow where its row has moved on, and
    ValidationError for KiteHub's own account.
    """
    _refuse_own(account.account_number)
    bank = banks.bank(account.bank_code)
    before = (school.bank_code, school.account_number, school.account_name)
    changed = before != (account.bank_code, account.account_number, account.account_name)
    school.bank_code = account.bank_code
    school.bank_name = bank.short_name if bank else None
    school.account_number = account.account_number
    school.account_name = account.account_name
    school.qr_template = account.qr_template
    with transaction.atomic(), acting(actor, reason):
        school.save(
            update_fields=[
                "bank_code",
                "bank_name",
                "account_number",
                "account_name",
                "qr_template",
            ]
        )
        if changed and school.owner is not None:
            emails.queue(
                to=school.owner.email,
                reason=f"bank account:{school.pk}:{school.version}",
                template="bank_account_changed",
                context={
                    "school": school.organization_name,
                    "subdomain": school.subdomain,
                    "actor": actor,
                    "bank": school.bank_name,
                    "number": account.account_number,
                    "holder": account.account_name,
                },
                language=school.owner.mail_language,
                instance=school,
            )


def clean_bank(bin: str) -> str:
    """The BIN of a bank that VietQR reaches. Raises ValidationError."""
    if banks.bank(bin) is None:
        raise ValidationError(_("Choose a bank from the list."))
    return bin


def clean_account_number(text: str) -> str:
    """6 to 19 letters and digits, leading zeros and all; the way it was grouped is left out.

    Raises ValidationError, also for KiteHub's own.
    """
    number = _GROUPING.sub("", unicodedata.normalize("NFKC", text))
    if not re.fullmatch("[0-9A-Za-z]{6,19}", number):
        raise ValidationError(_("An account number has 6 to 19 digits or letters."))
    _refuse_own(number)
    return number


def _refuse_own(number: str) -> None:
    """Some services don't tell the bank, so an account at another one is refused as well."""
    if same_number(number, settings.KITEHUB_BANK_ACCOUNT):
        raise ValidationError(
            _("KiteHub's own account has this number. Enter the account of your school.")
        )


def clean_account_name(text: str) -> str:
    """The holder as banks write them: capitals without accents. Raises ValidationError."""
    name = fold(text)
    if len(name) == 1:
        raise ValidationError(_("One letter is too short: enter the holder's whole name."))
    if not 2 <= len(name) <= HOLDER_LENGTH or not any(letter.isalpha() for letter in name):
        raise ValidationError(
            _("Enter the holder's name as the bank has it, at most %(most)s letters."),
            params={"most": HOLDER_LENGTH},
        )
    return name


def clean_template(text: str) -> str:
    """A memo's text with no other variables than those that orders know.

    Raises ValidationError.
    """
    template = " ".join(text.replace("\x00", "").split())
    if len(template) > TEMPLATE_LENGTH:
        raise ValidationError(
            _("At most %(most)s characters, please."), params={"most": TEMPLATE_LENGTH}
        )
    rest = template
    for name in VARIABLES:
        rest = rest.replace(f"{{{name}}}", "")
    if "{" in rest or "}" in rest:
        raise ValidationError(
            _("There are only these variables: %(known)s."),
            params={"known": ", ".join(f"{{{name}}}" for name in VARIABLES)},
        )
    return template

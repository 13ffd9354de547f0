"""The bank account that a school takes its students' money on, with a QR code to try it."""

from dataclasses import dataclass

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from billing import banks, memos, qr, vietqr
from billing.forms import BankAccountForm
from billing.services.bank_accounts import BankAccount, set_bank_account
from kitehub.db.base import StaleRow
from kitehub.models import Instance
from kitehub.portal import actor_of, owner_of

# What a memo is tried with: a code as orders have it, and a student as schools have them.
_CODE = "KHC6EP34W8"
_COURSE, _STUDENT = "TOAN9", "Nguyễn Văn An"


@dataclass(frozen=True, slots=True)
class Trial:
    """A QR code that nobody has to pay, and what a payer's bank would show for it."""

    bank: str
    account: BankAccount
    memo: str
    svg: str


@require_http_methods(["GET", "HEAD", "POST"])
@owner_of
def bank_account(request: HttpRequest, school: Instance) -> HttpResponse:
    """Shows and stores the account; `preview` shows a trial of what was entered instead."""
    if request.method != "POST":
        return _page(request, school, BankAccountForm.of(school), stored(school))
    form = BankAccountForm(request.POST)
    if not form.is_valid():
        return _page(request, school, form, None)
    account = form.account()
    if "preview" in request.POST:
        return _page(request, school, form, account, version=request.POST.get("version", ""))
    school.version = _version(request.POST.get("version", ""))
    try:
        set_bank_account(school=school, account=account, actor=actor_of(request))
    except StaleRow:
        school = Instance.objects.get(pk=school.pk)
        return _page(request, school, form, None, meanwhile=stored(school))
    messages.success(request, _("The bank account is saved. Scan the code to try it."))
    return redirect("bank_account", school.subdomain)


def stored(school: Instance) -> BankAccount | None:
    """The school's account, or None where it has none that VietQR can pay to."""
    if not (school.bank_code and school.account_number and banks.bank(school.bank_code)):
        return None
    return BankAccount(
        bank_code=school.bank_code,
        account_number=school.account_number,
        account_name=school.account_name or "",
        qr_template=school.qr_template or "",
    )


def _page(
    request: HttpRequest,
    school: Instance,
    form: BankAccountForm,
    account: BankAccount | None,
    *,
    version: str = "",
    meanwhile: BankAccount | None = None,
) -> HttpResponse:
    context = {
        "school": school,
        "form": form,
        "trial": _trial(account) if account else None,
        "version": version or school.version,
        "meanwhile": meanwhile,
        "bank": banks.bank(meanwhile.bank_code) if meanwhile else None,
    }
    return render(request, "billing/bank_account.html", context)


def _trial(account: BankAccount) -> Trial | None:
    """None where what is stored is from before it was checked, and no code can be made of it."""
    memo = memos.enrollment_memo(
        code=_CODE,
        template=account.qr_template,
        course_id=_COURSE,
        student_name=_STUDENT,
        at=timezone.now(),
    )
    try:
        payload = vietqr.encode(
            bank_bin=account.bank_code, account_number=account.account_number, memo=memo
        )
    except vietqr.VietQRError:
        return None
    bank = banks.bank(account.bank_code)
    return Trial(bank=str(bank), account=account, memo=memo, svg=qr.svg(payload))


def _version(text: str) -> int:
    """The version that the form was made from; one that no row has for what is no number."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else -1

"""Staff import a bank's statement: choose the file, look at what would come of it, book it."""

import json
from itertools import islice
from typing import Any, ClassVar, cast
from uuid import UUID

from django.contrib import messages
from django.contrib.admin.models import ADDITION, LogEntry
from django.contrib.contenttypes.models import ContentType
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import path
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.decorators import action

from billing.admin.statement_forms import (
    ColumnsForm,
    FileForm,
    accounts,
    columns_of,
    digest,
    initial_of,
)
from billing.enums import FeedProvider, StatementOutcome, TransferDirection
from billing.models import BankTransfer
from billing.services.statement_files import KeptFile, forget_file, keep_file, kept_file
from billing.services.statements import (
    ImportResult,
    StatementRefused,
    import_statement,
    save_mapping,
)
from billing.statements import BadMapping, Mapping, Preview, Unreadable, preview
from kitehub.backoffice.audit import actor_of
from kitehub.display import money

_LONGEST_FILENAME = 200
# How many problems a page shows, and how many new lines.
_MOST_PROBLEMS = 200
_MOST_NEW = 50


class ImportsStatements:
    """For the admin of bank lines: the page that imports a statement, in three steps."""

    actions_list: ClassVar[Any] = ("import_statement",)

    def has_import_statement_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Who may import statements."""
        return bool(request.user.has_perm("billing.import_statement"))

    def get_urls(self) -> Any:
        """Beside the others, the page that imports a statement."""
        its: Any = self
        page = path(
            "statement/",
            its.admin_site.admin_view(self.statement_view),
            name="billing_banktransfer_statement",
        )
        return [page, *super().get_urls()]  # type: ignore[misc]

    @action(
        description=_("Import a statement"),
        icon="upload_file",
        permissions=["import_statement"],
        url_path="import-statement",
    )
    def import_statement(self, request: HttpRequest) -> HttpResponse:
        """Leads to the page."""
        its: Any = self
        return HttpResponseRedirect(its._page("statement"))

    # Without a transaction around it: a file is read for seconds, and the service opens its own.
    def statement_view(self, request: HttpRequest) -> HttpResponse:
        """Asks for a file, shows what would come of it, and imports it when that was seen."""
        its: Any = self
        if not its.has_import_statement_permission(request):
            raise PermissionDenied
        if request.method != "POST":
            return self._ask(request, FileForm())
        key = request.POST.get("kept")
        if key is None:
            return self._take(request, FileForm(request.POST, request.FILES))
        file = kept_file(key=key, by=str(request.user.pk))
        if file is None:
            messages.error(request, gettext("The file isn't kept any more. Choose it again."))
            return HttpResponseRedirect(request.path)
        return self._read(request, key, file)

    # --- The file -------------------------------------------------------------------------------

    def _ask(self, request: HttpRequest, form: FileForm) -> HttpResponse:
        return self._answer(request, form=form, accounts=accounts())

    def _take(self, request: HttpRequest, form: FileForm) -> HttpResponse:
        """Keeps the file, and shows how it would be read; what is wrong is said at its field."""
        if not form.is_valid():
            return self._ask(request, form)
        sent = form.cleaned_data["file"]
        data, filename = sent.read(), sent.name[:_LONGEST_FILENAME]
        try:
            shown = preview(data, filename, form.mapping())
            number = form.cleaned_data["account_number"] or shown.account_number
            if not number:
                raise StatementRefused(
                    "no_account", gettext("The file doesn't name its account. Enter its number.")
                )
            result = _import(data, filename, number, shown.mapping, request, dry_run=True)
        except Unreadable as error:
            form.add_error("file", str(error))
        except BadMapping as error:
            form.add_error("format", str(error))
        except StatementRefused as error:
            form.add_error("account_number", str(error))
        else:
            found = shown.mapping or shown
            file = KeptFile(
                data=data,
                filename=filename,
                account_number=number,
                columns=columns_of(shown),
                encoding=found.encoding,
                delimiter=found.delimiter,
            )
            key = keep_file(file=file, by=str(request.user.pk))
            columns = ColumnsForm(
                initial_of(shown.mapping, file) if shown.mapping else None, file=file
            )
            return self._preview(request, key, columns, shown, result)
        return self._ask(request, form)

    # --- What would come of it, and what came ---------------------------------------------------

    def _read(self, request: HttpRequest, key: str, file: KeptFile) -> HttpResponse:
        """Reads the file by the columns that were chosen; imports it if that is what was shown."""
        form = ColumnsForm(request.POST, file=file)
        if not form.is_valid():
            return self._preview(request, key, form, preview(file.data, file.filename), None)
        mapping = form.cleaned_data["mapping"]
        asked = "import" in request.POST
        books = asked and request.POST.get("seen") == digest(mapping)
        try:
            result = _import(
                file.data, file.filename, file.account_number, mapping, request, dry_run=not books
            )
            shown = None if books else preview(file.data, file.filename, mapping)
        except (Unreadable, StatementRefused) as error:
            form.add_error(None, str(error))
            return self._preview(request, key, form, preview(file.data, file.filename), None)
        if result is not None and books:
            return self._report(request, key, file, form, result)
        if asked:
            form.add_error(None, gettext("The columns were changed. Look at the lines once more."))
        return self._preview(request, key, form, cast("Preview", shown), result)

    def _preview(
        self,
        request: HttpRequest,
        key: str,
        form: ColumnsForm,
        shown: Preview,
        result: ImportResult | None,
    ) -> HttpResponse:
        """The page of columns, lines and problems. Without a result only the file's first rows."""
        context: dict[str, Any] = {"rows": _wide(shown.rows, len(form.file.columns))}
        form.is_valid()
        # There also where the form as a whole has an error.
        mapping = getattr(form, "cleaned_data", {}).get("mapping")
        if result is not None and mapping is not None:
            context = {**_counts(result), "lines": _lines(shown, result), "seen": digest(mapping)}
        return self._answer(request, columns=form, file=form.file, kept=key, **context)

    def _report(
        self,
        request: HttpRequest,
        key: str,
        file: KeptFile,
        form: ColumnsForm,
        result: ImportResult,
    ) -> HttpResponse:
        """What came of an import, with the way to its lines."""
        its: Any = self
        name = form.cleaned_data["format_name"]
        if name:
            save_mapping(name=name, mapping=form.cleaned_data["mapping"], actor=actor_of(request))
        forget_file(key=key, by=str(request.user.pk))
        booked = [line for line in result.lines if line.outcome == StatementOutcome.BOOKED]
        _log(request, f"{file.filename} · {result.account_number} · +{len(booked)}")
        new = [
            (line.row, its._page("change", line.transfer_id), _signed(line))
            for line in booked[:_MOST_NEW]
        ]
        address = f"{its._page('changelist')}?provider__exact={FeedProvider.STATEMENT.value}"
        return self._answer(
            request, done=True, file=file, new=new, list=address, saved=name, **_counts(result)
        )

    def _answer(self, request: HttpRequest, **context: Any) -> HttpResponse:
        its: Any = self
        form = context.get("form") or context.get("columns")
        shown = {
            **its.admin_site.each_context(request),
            # Without `opts`, which would head the page with the name of the list.
            "title": gettext("Import a statement"),
            "media": its.media + form.media if form else its.media,
            **context,
        }
        request.current_app = its.admin_site.name
        answer = TemplateResponse(request, "billing/admin/statement.html", shown)
        answer.headers["Cache-Control"] = "private, no-store"
        return answer


def _import(
    data: bytes,
    filename: str,
    account_number: str,
    mapping: Mapping | None,
    request: HttpRequest,
    *,
    dry_run: bool,
) -> ImportResult | None:
    """Imports, or tries to; None where nobody knows yet which column is what."""
    if mapping is None:
        return None
    return import_statement(
        data=data,
        filename=filename,
        mapping=mapping,
        account_number=account_number,
        actor=actor_of(request),
        at=timezone.now(),
        dry_run=dry_run,
        alone=True,
    )


def _counts(result: ImportResult) -> dict[str, Any]:
    """How many lines are what, with the rows that are refused."""
    booked = [line for line in result.lines if line.outcome == StatementOutcome.BOOKED]
    problems = result.problems
    return {
        "account_number": result.account_number,
        "counts": [(each.label, result.count(each)) for each in StatementOutcome],
        "outgoing": sum(line.direction == TransferDirection.OUT for line in booked),
        "waits": result.waits,
        "problems": problems[:_MOST_PROBLEMS],
        "problem_count": len(problems),
        "more_problems": max(len(problems) - _MOST_PROBLEMS, 0),
    }


def _lines(shown: Preview, result: ImportResult) -> list[tuple[Any, ...]]:
    """The first lines as they would be booked, each with what would become of it."""
    outcomes = {line.row: line for line in result.lines}
    return [
        (
            each.row,
            each.line.transferred_at,
            each.line.has_time,
            _signed(outcomes[each.row]),
            each.line.memo,
            each.line.counterparty_name,
            each.line.reference,
            outcomes[each.row].outcome.label,
        )
        for each in shown.lines
        if each.row in outcomes
    ]


def _signed(line: Any) -> str:
    return money(line.amount if line.direction == TransferDirection.IN else -line.amount)


def _wide(rows: Any, width: int) -> list[list[str]]:
    """The rows, all as wide as the columns that are offered."""
    return [[*islice([*row, *[""] * width], width)] for row in rows]


def _log(request: HttpRequest, said: str) -> None:
    """One entry of the log for the whole file: each line has its file and its actor."""
    LogEntry.objects.create(
        user_id=cast("UUID", request.user.pk),
        content_type=ContentType.objects.get_for_model(BankTransfer),
        object_repr=said[-200:],
        action_flag=ADDITION,
        change_message=json.dumps([{"added": {"name": "bank transfer", "object": said}}]),
    )

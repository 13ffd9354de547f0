"""The links above a list that give its filtered set as a file."""

from collections.abc import Sequence
from typing import Any, ClassVar

from django.contrib import messages
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import ERROR_FLAG
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponseNotAllowed, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.urls import path, reverse
from django.utils.translation import gettext

from kitehub.backoffice.changelist import blaming_the_address
from kitehub.backoffice.exports.answers import ANSWERS
from kitehub.backoffice.exports.columns import Column, prepare
from kitehub.backoffice.exports.rows import ExportRunning, is_running
from kitehub.backoffice.exports.trail import PLACES


class Exported:
    """For a ModelAdmin: its list can be had as CSV and as XLSX.

    `export_columns` are paths of fields, or Columns; without any there is no export. Who may see
    the list may take it along, and each file is in the log: by whom, of what, how many rows.
    """

    export_columns: ClassVar[Sequence[str | Column]] = ()
    opts: Any
    admin_site: Any
    change_list_template: Any = "kitehub/backoffice/exported_list.html"

    def get_urls(self) -> list[Any]:
        """Also the files' addresses."""
        urls: list[Any] = super().get_urls()  # type: ignore[misc]
        if not self.export_columns:
            return urls
        view = self.admin_site.admin_view(self.export_view)
        name = f"{self.opts.app_label}_{self.opts.model_name}_export"
        return [path("export.<str:kind>", view, name=name), *urls]

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> Any:
        """The list, with the addresses of its files."""
        context = {
            "export_links": self._export_links(request),
            # The page that the links are added to.
            "list_template": super().change_list_template or "admin/change_list.html",  # type: ignore[misc]
            **(extra_context or {}),
        }
        return super().changelist_view(request, context)  # type: ignore[misc]

    def get_export_columns(self, request: HttpRequest) -> Sequence[str | Column]:
        """The columns for whoever asks."""
        return self.export_columns

    def export_view(self, request: HttpRequest, kind: str) -> HttpResponseBase:
        """The filtered set as a file; back to the list where its address cannot be looked up."""
        if request.method != "GET":
            return HttpResponseNotAllowed(["GET"])
        if kind not in ANSWERS:
            raise Http404
        if not self.has_view_permission(request):  # type: ignore[attr-defined]
            raise PermissionDenied
        try:
            with blaming_the_address(request):
                asked = self.read_address(request)  # type: ignore[attr-defined]
                rows = asked.queryset
                rows.exists()  # What only the database refuses, while there is no file yet.
        except IncorrectLookupParameters:
            return self._back(f"{ERROR_FLAG}=1")
        if asked.refusals:
            # The list says which and why.
            return self._back(request.GET.urlencode())
        columns = prepare(self.opts.model, self.get_export_columns(request))
        try:
            # Told while there is no file yet.
            if is_running(rows, request.user.pk):
                raise ExportRunning
            return ANSWERS[kind](request, rows, columns)
        except ExportRunning:
            said = gettext("Another of your files is on its way. Wait until it is there.")
            messages.error(request, said)
            return self._back(request.GET.urlencode())

    def _back(self, query: str) -> HttpResponseRedirect:
        page = reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_changelist")
        return HttpResponseRedirect(f"{page}?{query}" if query else page)

    def _export_links(self, request: HttpRequest) -> list[dict[str, str]]:
        if not self.export_columns or "_popup" in request.GET:
            return []
        asked = request.GET.copy()
        for name in PLACES:
            asked.pop(name, None)
        name = f"admin:{self.opts.app_label}_{self.opts.model_name}_export"
        ending = f"?{asked.urlencode()}" if asked else ""
        return [
            {"name": kind.upper(), "url": reverse(name, args=[kind]) + ending} for kind in ANSWERS
        ]

"""API keys: staff issue, rotate and revoke them, and see a key's text once."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any, ClassVar

from django import forms
from django.contrib import admin
from django.contrib.admin.models import CHANGE
from django.core.exceptions import ValidationError
from django.db.models import Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.translation import gettext, gettext_lazy
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin
from unfold.decorators import action, display
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget, UnfoldAdminSelectWidget

from kitehub.backoffice import Audited, ExactSearch
from kitehub.backoffice.audit import Refusal, actor_of, reason_of
from kitehub.backoffice.bulk import WhyForm
from kitehub.backoffice.forms import Reasoned, ReasonedModelForm
from kitehub.backoffice.labels import Label
from kitehub.backoffice.lists import CarefulLists
from kitehub.backoffice.names import instances_at
from kitehub.enums import ApiKeyState, ApiScope
from kitehub.key_format import read_prefix
from kitehub.models import ApiKey
from kitehub.services import api_keys
from kitehub.services.api_keys import IssuedKey, KeyRefused

STATE_COLOURS = {
    ApiKeyState.LIVE.value: "success",
    ApiKeyState.EXPIRED.value: "default",
    ApiKeyState.REVOKED.value: "danger",
}
OVERLAPS = {
    "P0D": (timedelta(0), _("It ends at once")),
    "PT1H": (timedelta(hours=1), _("1 hour")),
    "P1D": (timedelta(days=1), _("1 day")),
    "P7D": (timedelta(days=7), _("7 days")),
    "P30D": (timedelta(days=30), _("30 days")),
}


class ApiKeyForm(ReasonedModelForm):
    """What a new key is for."""

    scopes = forms.MultipleChoiceField(
        label=_("scopes"),
        choices=ApiScope.choices,
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
    )

    def clean_name(self) -> str:
        """The name on one line."""
        name: str = _of_field("name", lambda: api_keys.clean_name(self.cleaned_data["name"]))
        return name

    def clean_expires_at(self) -> Any:
        """None, or a moment to come."""
        end = self.cleaned_data["expires_at"]
        return _of_field("expires_at", lambda: api_keys.clean_end(end, at=timezone.now()))


class RotateForm(WhyForm):
    """Asks how long the old key goes on, and why."""

    field_order = ("overlap", "reason")

    overlap = forms.ChoiceField(
        label=_("For how long does the old key go on?"),
        choices=[(code, words) for code, (_overlap, words) in OVERLAPS.items()],
        initial="P1D",
        widget=UnfoldAdminSelectWidget,
    )


class StateFilter(admin.SimpleListFilter):
    """Keys that are live, expired or revoked now."""

    title = gettext_lazy("status")
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        """The states."""
        return list(ApiKeyState.choices)

    def queryset(self, request: HttpRequest, queryset: Any) -> QuerySet[ApiKey] | None:
        """The keys in the chosen state; all for none, and for a word that is no state."""
        asked = self.value()
        if asked not in ApiKeyState.values:
            return None
        keys: QuerySet[ApiKey] = queryset.in_state(ApiKeyState(asked), at=timezone.now())
        return keys


@admin.register(ApiKey)
class ApiKeyAdmin(Audited, ExactSearch, CarefulLists, ModelAdmin):
    """Keys, which are read-only but for their end. To add one is to issue it."""

    form = ApiKeyForm
    nothing_yet = _("A key is made on the page of its school.")
    list_display = (
        "prefix_text",
        "name",
        "instance",
        "scopes_text",
        "state_label",
        "last_used_at",
        "expires_at",
        "created_at",
    )
    list_filter = (StateFilter,)
    list_select_related = ("instance",)
    list_per_page = 50
    list_filter_submit = True
    ordering = ("-created_at", "-id")
    search_uuids: ClassVar = ("id", "instance_id")
    search_help_text = _("Prefix, subdomain or ID")
    autocomplete_fields = ("instance",)
    actions = ()
    actions_detail: ClassVar = ("rotate", "revoke")
    add_fieldsets = ((None, {"fields": ("instance", "name", "scopes", "expires_at")}),)
    fieldsets = (
        (None, {"fields": (("prefix_text", "state_label"), "name", "instance", "scopes_text")}),
        (_("Times"), {"fields": (("created_at", "created_by"), "last_used_at", "expires_at")}),
        (_("Rotation"), {"fields": ("replaces", "replaced_by_text")}),
        (_("Revocation"), {"fields": (("revoked_at", "revoked_by"), "revoked_reason")}),
    )

    # --- Who may what -----------------------------------------------------------------------

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody changes a key."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody deletes a key: revoked, it stays as its own trail."""
        return False

    def has_rotate_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Who may issue a key: a rotation does, too."""
        may: bool = self.has_add_permission(request)
        return may

    def has_revoke_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Who may change keys by Django's permissions, which for keys is to revoke them."""
        return bool(super().has_change_permission(request, obj))

    # --- Lists and pages --------------------------------------------------------------------

    def related_matches(self, term: str) -> Q:
        """The key with this prefix, however it was copied, or those of this subdomain."""
        prefix, found = read_prefix(term), instances_at(term)
        matches = Q(instance_id__in=found) if found else Q()
        return matches | Q(prefix=prefix) if prefix else matches

    @display(description=_("key"), ordering="prefix")
    def prefix_text(self, key: ApiKey) -> str:
        """The beginning of the key's text."""
        return key.shown_prefix

    @display(description=_("scopes"))
    def scopes_text(self, key: ApiKey) -> str:
        """The scopes, as programs name them."""
        return ", ".join(key.scopes)

    @display(description=_("status"), label=STATE_COLOURS)
    def state_label(self, key: ApiKey) -> Label:
        """The state as a coloured label."""
        state = key.state(at=timezone.now())
        return Label(state.value, str(state.label))

    @display(description=_("replaced by"))
    def replaced_by_text(self, key: ApiKey) -> str:
        """The key that took the place of this one."""
        return str(key.replaced_by.first() or "–")

    # --- Writes -----------------------------------------------------------------------------

    def save_form(self, request: HttpRequest, form: Any, change: bool) -> ApiKey:
        """Issues the key. What was entered is only read."""
        with _refusals():
            request.issued = api_keys.issue(  # type: ignore[attr-defined]
                instance=form.cleaned_data["instance"],
                name=form.cleaned_data["name"],
                scopes=form.cleaned_data["scopes"],
                expires_at=form.cleaned_data["expires_at"],
                actor=actor_of(request),
            )
        return request.issued.key  # type: ignore[attr-defined,no-any-return]

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Nothing: issuing wrote it."""

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """Nothing: a key has no other rows."""

    def response_add(
        self, request: HttpRequest, obj: Any, post_url_continue: str | None = None
    ) -> HttpResponse:
        """The page that shows the key's text, this once."""
        return self.show_once(request, request.issued)  # type: ignore[attr-defined]

    @action(
        description=gettext_lazy("Rotate"),
        icon="autorenew",
        permissions=["rotate"],
        url_path="rotate",
    )
    def rotate(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Asks, then issues a key in place of this one and shows it."""
        key = self._key(request, object_id)
        form = RotateForm(request.POST or None)
        if not form.is_valid():
            return self._ask(request, key, form, gettext("Rotate"))
        overlap, _words = OVERLAPS[form.cleaned_data["overlap"]]
        with _refusals():
            issued = api_keys.rotate(key=key, actor=actor_of(request), overlap=overlap)
        self.log(request, [key], CHANGE, [{"changed": {"fields": ["expires_at"]}}])
        return self.show_once(request, issued, replaced=key)

    @action(
        description=gettext_lazy("Revoke"), icon="block", permissions=["revoke"], url_path="revoke"
    )
    def revoke(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Asks, then ends the key for good."""
        key = self._key(request, object_id)
        form = WhyForm(request.POST or None)
        if not form.is_valid():
            return self._ask(request, key, form, gettext("Revoke"))
        if not api_keys.revoke(key=key, actor=actor_of(request), reason=reason_of(request)):
            raise Refusal(gettext("“%(row)s” is revoked already.") % {"row": key})
        self.log(request, [key], CHANGE, [{"changed": {"fields": ["revoked_at"]}}])
        self.message_user(request, gettext("“%(row)s” opens nothing any more.") % {"row": key})
        return HttpResponseRedirect(self._page("change", key.pk))

    # --- Parts ------------------------------------------------------------------------------

    def _key(self, request: HttpRequest, object_id: str) -> ApiKey:
        key: ApiKey | None = self.get_object(request, object_id)
        if key is None:
            raise Http404
        return key

    def _ask(
        self, request: HttpRequest, key: ApiKey, form: Reasoned, title: str
    ) -> TemplateResponse:
        context = {"title": title, "key": key, "form": form, "rotates": "overlap" in form.fields}
        return self._answer(request, "ask", context)

    def show_once(
        self,
        request: HttpRequest,
        issued: IssuedKey,
        *,
        replaced: ApiKey | None = None,
        page: str = "",
    ) -> TemplateResponse:
        """The page with a key's text, which goes into this one answer; `page` is where it leads."""
        context = {
            "title": gettext("API key issued"),
            "issued": issued,
            "replaced": replaced,
            "page": page or self._page("change", issued.key.pk),
        }
        return self._answer(request, "issued", context)

    def _answer(self, request: HttpRequest, name: str, context: dict[str, Any]) -> TemplateResponse:
        request.current_app = self.admin_site.name
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "media": self.media,
            **context,
        }
        return TemplateResponse(request, f"kitehub/api_keys/{name}.html", context)


@contextmanager
def _refusals() -> Iterator[None]:
    """Tells what a service refuses in its own words."""
    try:
        yield
    except KeyRefused as error:
        raise Refusal(str(error.message)) from error


def _of_field(name: str, clean: Any) -> Any:
    """What `clean` gives; its ValidationError as that of one field."""
    try:
        return clean()
    except ValidationError as error:
        raise ValidationError(error.message_dict[name]) from error

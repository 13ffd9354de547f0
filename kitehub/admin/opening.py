"""Opening a school in the admin."""

from functools import partial
from typing import Any, ClassVar

from django import forms
from django.contrib import messages
from django.contrib.admin.models import ADDITION
from django.core.exceptions import PermissionDenied
from django.forms.models import modelform_factory
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import path
from django.utils.translation import gettext, gettext_lazy
from unfold.decorators import action
from unfold.widgets import UnfoldAdminSelectWidget

from kitehub.admin.places import POOL, SERVER, places_to_live
from kitehub.backoffice.audit import actor_of
from kitehub.db.errors import explain
from kitehub.db.sentences import translated
from kitehub.domains import clean_domain, clean_subdomain
from kitehub.enums import Tier
from kitehub.models import ApiKey, Instance
from kitehub.workflows import Opened, SubdomainTaken, open_instance, watch_instance

_FIELDS = ("organization_name", "subdomain", "custom_domain", "owner", "tier")


class OpeningForm(forms.ModelForm):  # type: ignore[type-arg]
    """What has to be known to open a school."""

    where = forms.ChoiceField(
        label=gettext_lazy("Where its data lives"), widget=UnfoldAdminSelectWidget
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        where: Any = self.fields["where"]
        where.choices = places_to_live()
        self.fields["owner"].required = True

    def clean_subdomain(self) -> str:
        """The subdomain in its stored spelling."""
        return clean_subdomain(self.cleaned_data["subdomain"])

    def clean_custom_domain(self) -> str:
        """The domain in its stored spelling."""
        domain: str = self.cleaned_data["custom_domain"] or ""
        return clean_domain(domain) if domain else ""

    def open(self, actor: str) -> Opened:
        """Opens the school; raises what `open_instance` raises."""
        told = self.cleaned_data
        where: str = told["where"]
        return open_instance(
            subdomain=told["subdomain"],
            organization_name=told["organization_name"],
            custom_domain=told["custom_domain"],
            owner=told["owner"],
            tier=Tier(told["tier"]),
            silo=where != POOL,
            server=where.removeprefix(SERVER) if where.startswith(SERVER) else "",
            actor=actor,
        )


class OpensSchools:
    """For the ModelAdmin of instances: a page that opens a school."""

    actions_list: ClassVar[Any] = ("open_school",)

    def get_urls(self) -> Any:
        """Beside the others, the page that opens a school."""
        its: Any = self
        page = path(
            "open/", its.admin_site.admin_view(self.opening_view), name="kitehub_instance_open"
        )
        return [page, *super().get_urls()]  # type: ignore[misc]

    @action(
        description=gettext_lazy("Open a school"),
        icon="add_home",
        permissions=["add"],
        url_path="open-school",
    )
    def open_school(self, request: HttpRequest) -> HttpResponse:
        """Leads to the page."""
        its: Any = self
        return HttpResponseRedirect(its._page("open"))

    # Without a transaction around it: databases are made outside of any, and what is done stays.
    def opening_view(self, request: HttpRequest) -> HttpResponse:
        """Asks for a school and opens it; an error is at its field, and opens nothing."""
        its: Any = self
        if not its.has_add_permission(request):
            raise PermissionDenied
        callback = partial(its.formfield_for_dbfield, request=request)
        make = modelform_factory(Instance, OpeningForm, _FIELDS, formfield_callback=callback)
        form: Any = make(request.POST or None)
        if request.method == "POST" and form.is_valid():
            answer = self._open(request, form)
            if answer is not None:
                return answer
        context = {
            **its.admin_site.each_context(request),
            "title": gettext("Open a school"),
            "opts": its.opts,
            "media": its.media + form.media,
            "form": form,
        }
        request.current_app = its.admin_site.name
        return TemplateResponse(request, "kitehub/backoffice/open_school.html", context)

    def _open(self, request: HttpRequest, form: OpeningForm) -> HttpResponse | None:
        """Opens; where the database fails, the row is there and its page says what to do."""
        its: Any = self
        try:
            opened = form.open(actor_of(request))
        except SubdomainTaken:
            form.add_error("subdomain", gettext("This subdomain is taken."))
            return None
        except Exception as error:
            why = explain(error)
            begun = Instance.objects.filter(subdomain=form.cleaned_data["subdomain"]).first()
            if why is None or begun is None:
                raise
            watch_instance(instance=begun)  # so that the queue of such openings has it
            its.log(request, [begun], ADDITION, [{"added": {}}])
            said = gettext(
                "“%(row)s” is registered, but its database isn't ready: %(why)s Once that is "
                "mended, choose “Finish opening”."
            )
            messages.error(request, said % {"row": begun, "why": translated(why)})
            return HttpResponseRedirect(its._page("change", begun.pk))
        school, page = opened.instance, its._page("change", opened.instance.pk)
        watch_instance(instance=school)
        its.log(request, [school], ADDITION, [{"added": {}}])
        messages.success(request, gettext("“%(row)s” is open.") % {"row": school})
        keys: Any = its.admin_site.get_model_admin(ApiKey)
        if opened.first_key is not None and keys.has_add_permission(request):
            answer: HttpResponse = keys.show_once(request, opened.first_key, page=page)
            return answer
        return HttpResponseRedirect(page)

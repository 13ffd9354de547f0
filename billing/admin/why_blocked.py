"""From a subscription's page to the one that says why its school is blocked."""

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext_lazy
from unfold.decorators import action

from billing.models import Subscription
from kitehub.backoffice.search import parse_uuid


class LeadsToWhyBlocked:
    """For the admin of subscriptions."""

    @action(
        description=gettext_lazy("What can the school use?"),
        icon="help",
        permissions=["view"],
        url_path="why",
    )
    def why(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Leads to the school's page, which asks for its own permission."""
        key = parse_uuid(object_id)
        row = Subscription.all_objects.filter(pk=key).first() if key else None
        if row is None:
            raise Http404
        return HttpResponseRedirect(reverse("admin:kitehub_instance_why", args=[row.instance_id]))

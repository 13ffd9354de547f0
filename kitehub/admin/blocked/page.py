"""The page that says why a school is blocked, for the admin of instances."""

from dataclasses import dataclass
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.translation import gettext, gettext_lazy
from unfold.decorators import action

from billing.models import Subscription
from kitehub.admin.blocked import words
from kitehub.admin.blocked.causes import (
    Cause,
    Effect,
    Facts,
    Kind,
    causes,
    next_change,
    tells_news,
    worst,
)
from kitehub.admin.blocked.facts import Evidence, gather
from kitehub.admin.watches import storage_of
from kitehub.backoffice.dialogs import Line
from kitehub.backoffice.references import may_view
from kitehub.backoffice.search import parse_uuid
from kitehub.display import size
from kitehub.entitlements import Entitlement
from kitehub.models import Instance, InstanceWatch
from kitehub.plans import FEATURES, STORAGE
from kitehub.roles import POWERS
from storage.models import StorageUsage

# The permission that it takes to do what helps, where a role that sees schools may lack it.
_TAKES = {
    Kind.CLOSING: "kitehub.close_instance",
    Kind.SUSPENDED: "kitehub.suspend_instance",
    Kind.GATE_SUSPENDED: "kitehub.suspend_instance",
    Kind.UNFINISHED: "kitehub.provision_instance",
    Kind.MOVE_UNFINISHED: "kitehub.move_instance",
    Kind.NO_SUBSCRIPTION: "billing.add_paymentorder",
    Kind.PAUSED: "billing.extend_subscription",
    Kind.CANCELED: "billing.change_plan",
    Kind.EXCEPTION: "kitehub.change_instanceconfig",
    Kind.NO_LIVE_KEY: "kitehub.add_apikey",
}


@dataclass(frozen=True)
class Told:
    """A cause as the page shows it."""

    title: str
    effect: str
    colour: str
    evidence: list[Line]
    next: str
    helps: str
    links: list[tuple[str, str]]


class SaysWhyBlocked:
    """For the admin of instances: a page that says why one is blocked, and what would help."""

    @action(
        description=gettext_lazy("What can the school use?"),
        icon="help",
        permissions=["view"],
        url_path="why",
    )
    def why(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Looks at everything that may block a school, and shows it. Changes nothing."""
        its: Any = self
        key = parse_uuid(object_id)
        school = Instance.all_objects.filter(pk=key).first() if key else None
        if school is None:
            raise Http404
        at = timezone.now()
        facts, known = gather(school, at=at)
        found = causes(facts, at=at)
        reader = request.user
        context = {
            **its.admin_site.each_context(request),
            "title": _title(found),
            "opts": its.opts,
            "original": school,
            "school": school,
            "back": its._page("change", school.pk),
            "verdict": _verdict(found),
            "colour": words.EFFECTS[worst(found)][1],
            "next": _next(found, known, reader),
            "causes": [_told(cause, found, facts, known, reader) for cause in found],
            "allowed": _allowed(facts, reader),
            "database": _database(known, reader),
            "at": words.moment(at),
        }
        request.current_app = its.admin_site.name
        return TemplateResponse(request, "kitehub/instances/why.html", context)


def _title(found: list[Cause]) -> str:
    if worst(found) >= Effect.READ_ONLY:
        return gettext("Why is it blocked?")
    return gettext("What can the school use?")


def _verdict(found: list[Cause]) -> str:
    """What the causes come to; a suspension alone leaves its data to be read."""
    closing = {cause.kind for cause in found if cause.effect == Effect.CLOSED}
    if closing == {Kind.SUSPENDED}:
        return gettext("Blocked: nothing may be used, but what it has can still be read.")
    return str(words.VERDICTS[worst(found)])


def _told(cause: Cause, found: list[Cause], facts: Facts, known: Evidence, reader: Any) -> Told:
    said, (effect, colour) = words.SAID[cause.kind], words.EFFECTS[cause.effect]
    return Told(
        title=str(said.title),
        effect=str(effect),
        colour=colour,
        evidence=words.evidence_of(cause, facts, known, reader),
        next=_at(cause) if tells_news(cause, found) else "",
        helps=_helps(cause, reader),
        links=words.links_of(cause, known, reader),
    )


def _helps(cause: Cause, reader: Any) -> str:
    """What would help, and whom to ask for it where the reader may not do it."""
    helps, takes = str(words.SAID[cause.kind].helps), _TAKES.get(cause.kind)
    if takes is None or reader.has_perm(takes):
        return helps
    roles = next((power.roles for power in POWERS if takes in power.permissions), ())
    asked = gettext("Your role may not do that: ask %(role)s.")
    return f"{helps} {asked % {'role': ', '.join(str(role.label) for role in roles)}}"


def _at(cause: Cause) -> str:
    if cause.next_at is None:
        return ""
    return f"{words.moment(cause.next_at)}: {words.SAID[cause.kind].then}"


def _next(found: list[Cause], known: Evidence, reader: Any) -> str:
    """The first change that comes by itself; of a school that pays, the end of what is paid."""
    cause = next_change(found)
    if cause is not None:
        return _at(cause)
    if not found and known.subscription is not None and may_view(reader, Subscription):
        end = words.moment(known.subscription.current_period_end)
        return f"{end}: {gettext('what is paid ends, and the grace begins')}"
    return gettext("Nothing changes by itself: a person has to act.") if found else ""


def _allowed(facts: Facts, reader: Any) -> list[tuple[str, bool, str, str]]:
    features = facts.features or {}
    sees_use = may_view(reader, StorageUsage)
    return [
        (words.feature_name(name), it.access, _limit(name, it, sees_use), str(it.reason.label))
        for name, it in features.items()
    ]


def _limit(name: str, it: Entitlement, sees_use: bool) -> str:
    if not it.access or name in FEATURES:
        return "–"
    limit = gettext("no limit") if it.limit is None else str(it.limit)
    if name == STORAGE:
        limit = gettext("no limit") if it.limit is None else size(it.limit)
        return f"{size(it.used or 0)} / {limit}" if sees_use else limit
    return limit


def _database(known: Evidence, reader: Any) -> list[Line]:
    """How its database was last seen; nothing for who may not know how databases do."""
    if not may_view(reader, InstanceWatch):
        return []
    watch = known.watch
    if watch is None:
        return [Line(gettext("Database"), gettext("nobody has looked at it yet"))]
    missing = watch.missing_migrations
    return [
        Line(gettext("Looked at"), words.moment(watch.looked_at)),
        Line(gettext("Storage"), storage_of(watch), warns=watch.nearly_full),
        Line(gettext("Schema"), watch.schema_version or "–", warns=missing > 0),
        Line(gettext("Missing migrations"), str(missing), warns=missing > 0),
    ]

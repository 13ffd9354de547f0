"""Guest sessions and events. Tenant tables."""

from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from analytics.enums import DeviceType, EventType, GuestSource
from analytics.querysets import GuestEventQuerySet, GuestSessionQuerySet
from kitehub.db.base import Identified
from kitehub.db.functions import Now
from kitehub.db.indexes import Index
from kitehub.tenancy.base import Tenant, TenantManager

# What a visit in a hundred ends in.
RARE_EVENTS = (EventType.CONTACT_CLICK, EventType.TRIAL_REGISTER)


class GuestSession(Tenant, Identified):
    """A visit of somebody who is not signed in (plan, V4)."""

    session_id = models.CharField(_("session"), max_length=50)
    instance_id = models.UUIDField(_("instance"))
    created_at = models.DateTimeField(_("started at"), db_default=Now())
    expires_at = models.DateTimeField(_("expires at"))
    source = models.CharField(
        _("source"), max_length=50, choices=GuestSource.choices, null=True, blank=True
    )
    device_type = models.CharField(
        _("device"), max_length=20, choices=DeviceType.choices, null=True, blank=True
    )
    user_agent = models.TextField(_("user agent"), null=True, blank=True)
    ip_address = models.CharField(_("IP address"), max_length=45, null=True, blank=True)

    objects = TenantManager.from_queryset(GuestSessionQuerySet)()

    class Meta:
        db_table = "guest_sessions"
        db_table_comment = "Anonymous guest user sessions"
        verbose_name = _("guest session")
        verbose_name_plural = _("guest sessions")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["session_id"], name="guest_sessions_session_id_key"),
        ]
        indexes: ClassVar = [
            Index(fields=["session_id"], name="idx_guest_sessions_session"),
            Index(fields=["instance_id"], name="idx_guest_sessions_instance"),
            Index(fields=["-created_at"], name="idx_guest_sessions_created"),
            Index(fields=["expires_at"], name="idx_guest_sessions_expires"),
        ]

    def __str__(self) -> str:
        return self.session_id


class GuestEvent(Tenant, Identified):
    """One thing a guest did (plan, V4)."""

    session_id = models.CharField(_("session"), max_length=50)
    instance_id = models.UUIDField(_("instance"))
    event_type = models.CharField(_("event"), max_length=50)
    course_id = models.UUIDField(_("course ID"), null=True, blank=True)
    course_name = models.CharField(_("course"), max_length=200, null=True, blank=True)
    timestamp = models.DateTimeField(_("time"), db_default=Now())
    metadata = models.JSONField(
        _("details"),
        null=True,
        blank=True,
        default=dict,
        db_default={},
        db_comment='Additional event data: {contactMethod: "facebook", duration: 120}',
    )

    objects = TenantManager.from_queryset(GuestEventQuerySet)()

    class Meta:
        db_table = "guest_events"
        db_table_comment = "Guest user behavior events for analytics"
        verbose_name = _("guest event")
        verbose_name_plural = _("guest events")
        indexes: ClassVar = [
            Index(fields=["session_id"], name="idx_guest_events_session"),
            Index(fields=["instance_id"], name="idx_guest_events_instance"),
            Index(fields=["event_type"], name="idx_guest_events_type"),
            Index(
                fields=["course_id"],
                name="idx_guest_events_course",
                condition=Q(course_id__isnull=False),
            ),
            Index(fields=["-timestamp"], name="idx_guest_events_timestamp"),
            Index(
                fields=["instance_id", "event_type", "-timestamp"],
                name="idx_guest_events_instance_type_timestamp",
            ),
            # Views, which are most and in any case soon found, aren't in it.
            Index(
                fields=["event_type", "-timestamp", "-id"],
                condition=Q(event_type__in=RARE_EVENTS),
                name="idx_guest_events_list_rare",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.event_type} · {self.session_id}"

"""What a duty last saw of an instance's database. A platform table: pages ask no silo."""

from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from kitehub.db.base import Identified
from kitehub.db.fields import LooseOneToOneField
from kitehub.db.functions import Now
from kitehub.db.indexes import Index
from kitehub.querysets import InstanceWatchQuerySet


class InstanceWatch(Identified):
    """An instance's storage and schema as they were at `looked_at` (V18); sizes are bytes.

    Where the database couldn't be read, `reachable` and `error` say so, and the rest is what was
    seen at `reached_at`. `limit_bytes` is NULL for no limit, and where nobody has looked yet.
    """

    archived = False

    instance = LooseOneToOneField(
        "kitehub.Instance", related_name="watch", verbose_name=_("instance")
    )
    used_bytes = models.BigIntegerField(_("used"), null=True)
    limit_bytes = models.BigIntegerField(_("limit"), null=True)
    nearly_full = models.BooleanField(
        _("over 90%"), db_default=False, db_comment="More than nine tenths of the limit are used"
    )
    schema_version = models.CharField(_("schema version"), max_length=10, blank=True, db_default="")
    missing_migrations = models.IntegerField(
        _("missing migrations"), db_default=0, db_comment="How many the code has and it has not"
    )
    whole = models.BooleanField(
        _("opened"), db_default=False, db_comment="Its first rows are there"
    )
    reachable = models.BooleanField(_("reachable"), db_default=True)
    error = models.CharField(_("why not reachable"), max_length=500, blank=True, db_default="")
    looked_at = models.DateTimeField(_("looked at"), db_default=Now())
    reached_at = models.DateTimeField(_("last reached at"), null=True)

    objects = InstanceWatchQuerySet.as_manager()

    class Meta:
        db_table = "instance_watch"
        db_table_comment = "What was last seen of each instance's database"
        verbose_name = _("state of a database")
        verbose_name_plural = _("states of databases")
        indexes: ClassVar = [
            Index(fields=["-looked_at", "-id"], name="idx_instance_watch_list"),
            Index(
                fields=["instance"],
                condition=Q(nearly_full=True),
                name="idx_instance_watch_nearly_full",
            ),
            Index(
                fields=["instance"],
                condition=Q(missing_migrations__gt=0),
                name="idx_instance_watch_behind",
            ),
            Index(
                fields=["instance"],
                condition=Q(reachable=False),
                name="idx_instance_watch_unreachable",
            ),
            Index(
                fields=["instance"], condition=Q(whole=False), name="idx_instance_watch_unfinished"
            ),
        ]

    def __str__(self) -> str:
        return str(self.instance or self.instance_id)

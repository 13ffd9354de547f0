"""The abstract models the apps build on."""

import uuid

from django.contrib.postgres.functions import RandomUUID
from django.db import models
from django.utils.translation import gettext_lazy as _

from kitehub.db.functions import Now


class Identified(models.Model):
    """A row with a UUID key, made by Python for the ORM and by the database for everybody else."""

    id = models.UUIDField(
        _("ID"), primary_key=True, default=uuid.uuid4, db_default=RandomUUID(), editable=False
    )

    class Meta:
        abstract = True


class Record(Identified):
    """A row with the plan's audit columns: who and when, version, soft deletion.

    `objects`, declared by each model from its own queryset, hides deleted rows; `all_objects` does
    not. The trigger of V1 keeps `updated_at`, whoever writes.
    """

    created_at = models.DateTimeField(_("created at"), db_default=Now(), editable=False)
    updated_at = models.DateTimeField(_("updated at"), db_default=Now(), editable=False)
    created_by = models.CharField(
        _("created by"), max_length=100, null=True, blank=True, editable=False
    )
    updated_by = models.CharField(
        _("updated by"), max_length=100, null=True, blank=True, editable=False
    )
    version = models.BigIntegerField(_("version"), db_default=0, editable=False)
    deleted = models.BooleanField(_("deleted"), db_default=False, editable=False)
    deleted_at = models.DateTimeField(_("deleted at"), null=True, blank=True, editable=False)

    class Meta:
        abstract = True

"""Instance configs."""

from typing import Any, ClassVar

from django.contrib import admin
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from kitehub.backoffice import InstanceNames, RecordAdmin
from kitehub.backoffice.base import RECORD_FIELDSET
from kitehub.backoffice.forms import RecordForm
from kitehub.models import InstanceConfig
from kitehub.plans import FEATURES, LIMITATIONS, MOST


class InstanceConfigForm(RecordForm):
    """A config's form. Keys that the tiers have mean something; others are kept as they are."""

    def clean_features(self) -> dict[str, Any]:
        """Known features are on or off."""
        features = self._object("features")
        for name in sorted(set(FEATURES) & set(features)):
            if not isinstance(features[name], bool):
                raise ValidationError(
                    _("“%(name)s” must be true or false."), code="flag", params={"name": name}
                )
        return features

    def clean_limitations(self) -> dict[str, Any]:
        """Known limits are whole numbers, or null for no limit."""
        limitations = self._object("limitations")
        for name in sorted(set(LIMITATIONS) & set(limitations)):
            limit = limitations[name]
            # In Python True is a whole number.
            if limit is not None and (type(limit) is not int or not 0 <= limit <= MOST):
                raise ValidationError(
                    _("“%(name)s” must be a whole number from 0 on, or null for no limit."),
                    code="limit",
                    params={"name": name},
                )
        return limitations

    def _object(self, field: str) -> dict[str, Any]:
        """What was entered, if it is an object; an empty field is an empty one."""
        value = self.cleaned_data[field]
        if value is None and not str(self[field].data or "").strip():
            return {}
        if not isinstance(value, dict):
            raise ValidationError(
                _('Enter an object in braces, such as {"maxStudents": 50}.'), code="no_object"
            )
        return value


@admin.register(InstanceConfig)
class InstanceConfigAdmin(InstanceNames, RecordAdmin):
    """What instances may do."""

    form = InstanceConfigForm
    nothing_yet = _("A school gets its configuration when it is opened.")
    list_display = ("instance_name", "tier", "features", "limitations", "updated_at")
    list_filter = ("tier",)
    ordering = ("-created_at",)
    search_uuids: ClassVar = ("id", "instance_id")
    search_help_text = _("Subdomain or ID")
    # Whose it is, and what they bought: the school's page changes that, in both databases.
    frozen = ("instance_id", "tier")
    fieldsets = (
        (None, {"fields": ("instance_id", "tier", "features", "limitations")}),
        RECORD_FIELDSET,
    )

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """An exception is entered by hand; what was bought isn't."""
        own = super().get_readonly_fields(request, obj)
        return own if obj is None else (*own, *self.frozen)

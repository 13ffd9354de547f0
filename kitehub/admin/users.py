"""Users and groups."""

from typing import Any, ClassVar

from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin as DjangoGroupAdmin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.models import Group
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm

from kitehub.backoffice import Audited, ExactSearch
from kitehub.backoffice.forms import Reasoned, ReasonedModelForm
from kitehub.backoffice.lists import CarefulLists
from kitehub.models import User

admin.site.unregister(Group)


class ReasonedUserForm(Reasoned, UserChangeForm):
    """A person's form that asks for the reason."""


class ReasonedUserCreationForm(Reasoned, UserCreationForm):
    """A new person's form that asks for the reason."""


@admin.register(User)
class UserAdmin(Audited, ExactSearch, CarefulLists, DjangoUserAdmin, ModelAdmin):  # type: ignore[type-arg,misc]
    """People who sign in. Nobody is deleted: the log of what they did would go with them."""

    form = ReasonedUserForm
    add_form = ReasonedUserCreationForm
    change_password_form = AdminPasswordChangeForm
    list_display = ("email", "full_name", "is_staff", "is_active", "last_login", "date_joined")
    list_filter = ("is_staff", "is_superuser", "is_active", "groups")
    list_per_page = 50
    show_full_result_count = False
    search_columns: ClassVar = {"email": str}
    search_help_text = _("Whole e-mail address or ID")
    ordering = ("email",)
    readonly_fields = ("last_login", "date_joined")
    filter_horizontal = ("groups",)
    fieldsets = (
        (None, {"fields": ("email", "full_name", "password")}),
        (
            _("Permissions"),
            {"fields": ("is_active", "is_staff", "is_superuser", "groups")},
        ),
        (_("Times"), {"fields": ("last_login", "date_joined")}),
    )
    add_fieldsets = (
        (
            None,
            {
                "classes": ("wide",),
                "fields": ("email", "full_name", "usable_password", "password1", "password2"),
            },
        ),
    )

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody; "active" is taken off instead."""
        return False

    def user_change_password(self, request: HttpRequest, id: str, form_url: str = "") -> Any:
        """Sets somebody's password, as a write like all others."""
        if request.method != "POST":
            return super().user_change_password(request, id, form_url)
        with self.writing(request):
            return super().user_change_password(request, id, form_url)


@admin.register(Group)
class GroupAdmin(Audited, CarefulLists, DjangoGroupAdmin, ModelAdmin):  # type: ignore[misc]
    """Groups of permissions."""

    form = ReasonedModelForm

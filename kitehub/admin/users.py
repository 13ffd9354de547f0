"""Users and groups. Who is staff, and what staff may do, is for superusers alone to say."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, ClassVar

from django.contrib import admin
from django.contrib.admin import RelatedFieldListFilter
from django.contrib.auth.admin import GroupAdmin as DjangoGroupAdmin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.models import Group
from django.db.models import Q
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm

from kitehub.admin.details import UserDetails
from kitehub.admin.second_factor import SetsUpCodes
from kitehub.admin.sessions import EndsSessions
from kitehub.backoffice import Audited, ExactSearch
from kitehub.backoffice.audit import actor_of, reason_of
from kitehub.backoffice.exports import Exported
from kitehub.backoffice.forms import Reasoned, ReasonedModelForm
from kitehub.backoffice.lists import CarefulLists
from kitehub.backoffice.tabs import Tab
from kitehub.db.words import starts_words
from kitehub.models import User
from kitehub.services import security, sessions
from kitehub.sign_in import note_changed_password

admin.site.unregister(Group)

# Who may know who has which role.
SEES_ROLES = "auth.view_group"
ROLES = ("groups", "is_superuser")
# The columns that decide what somebody may do.
POWERS = ("is_staff", "is_superuser", "groups", "user_permissions")


class ReasonedUserForm(Reasoned, UserChangeForm):
    """A person's form that asks for the reason."""


class ReasonedUserCreationForm(Reasoned, UserCreationForm):
    """A new person's form that asks for the reason."""


class PasswordForm(AdminPasswordChangeForm):
    """A new password for somebody, or none any more."""

    def save(self, commit: bool = True) -> Any:
        """Also tells the log of a password that was taken: of that Django tells no validator."""
        had_one = self.user.has_usable_password()
        user: Any = super().save(commit)
        if had_one and not user.has_usable_password():
            note_changed_password(user, usable=False)
        return user


class GroupFilter(RelatedFieldListFilter):
    """The members of a group. Those of none are all the schools' own people."""

    include_empty_choice = False


@admin.register(User)
class UserAdmin(  # type: ignore[misc]
    SetsUpCodes,
    EndsSessions,
    UserDetails,
    Audited,
    ExactSearch,
    Exported,
    CarefulLists,
    DjangoUserAdmin,  # type: ignore[type-arg]
    ModelAdmin,
):
    """People who sign in. Nobody is deleted: the log of what they did would go with them."""

    form = ReasonedUserForm
    add_form = ReasonedUserCreationForm
    change_password_form = PasswordForm
    nothing_yet = _("Add the first person here.")
    list_display = ("email", "full_name", "is_staff", "is_active", "last_login", "date_joined")
    export_columns: ClassVar = (
        "email",
        "full_name",
        "is_staff",
        "is_superuser",
        "is_active",
        "last_login",
        "date_joined",
        "id",
    )
    list_filter = (("groups", GroupFilter),)
    tabs = (
        Tab("staff", _("Staff"), Q(is_staff=True)),
        Tab("superusers", _("Superusers"), Q(is_superuser=True)),
        Tab("inactive", _("Not active"), Q(is_active=False)),
    )
    list_per_page = 50
    search_columns: ClassVar = ("email",)
    search_help_text = _("Name, e-mail address or ID")
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

    @contextmanager
    def writing(self, request: HttpRequest, reason: str | None = None) -> Iterator[None]:
        """Also tells the security log where the change comes from."""
        with super().writing(request, reason):
            security.tell_database(request)
            yield

    def last_resort(self, term: str) -> Q:
        """People whose e-mail address or name has words that begin with those of the term."""
        return starts_words(term, "email", "full_name")

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody; "active" is taken off instead."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Of colleagues only superusers change anything: a new password or address is a way in."""
        if not super().has_change_permission(request, obj):
            return False
        # unfold asks with a key where it has no row.
        if request.user.is_superuser or not isinstance(obj, User) or obj.pk == request.user.pk:
            return True
        return not (obj.is_staff or obj.is_superuser)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """What somebody may do is given by superusers, and by nobody to themselves.

        Nor is anybody's login theirs to change, superusers' included: it is how the books know who
        asked and who approved.
        """
        own = super().get_readonly_fields(request, obj)
        login = ("email",) if obj is not None and obj.pk == request.user.pk else ()
        return (*own, *login) if request.user.is_superuser else (*own, *POWERS, *login)

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """Without roles for who may not see them, and the password for who cannot set it."""
        fieldsets = super().get_fieldsets(request, obj)
        hidden = set() if request.user.has_perm(SEES_ROLES) else set(ROLES)
        if obj is not None and not self.has_change_permission(request, obj):
            hidden.add("password")
        return [
            (title, {**part, "fields": [name for name in part["fields"] if name not in hidden]})
            for title, part in fieldsets
        ]

    def get_list_filter(self, request: HttpRequest) -> Any:
        """Groups, for who may see who has which role."""
        return super().get_list_filter(request) if request.user.has_perm(SEES_ROLES) else ()

    def get_tabs(self, request: HttpRequest) -> Sequence[Tab]:
        """Without superusers for who may not see who has which role."""
        sees = request.user.has_perm(SEES_ROLES)
        return [tab for tab in self.tabs if sees or tab.key != "superusers"]

    def get_export_columns(self, request: HttpRequest) -> Any:
        """Without superusers for who may not see who has which role."""
        sees = request.user.has_perm(SEES_ROLES)
        return [name for name in self.export_columns if sees or name not in ROLES]

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Signs out who isn't active any more: else an old browser is in again once they are."""
        super().save_model(request, obj, form, change)
        if not change or obj.is_active or "is_active" not in form.changed_data:
            return
        sessions.end(user_id=obj.pk, actor=actor_of(request), reason=reason_of(request))
        if obj.pk == request.user.pk:
            # Its row is gone, and it must not be saved at the end of this request.
            request.session.flush()

    def user_change_password(self, request: HttpRequest, id: str, form_url: str = "") -> Any:
        """Sets somebody's password, as a write like all others."""
        if request.method != "POST":
            return super().user_change_password(request, id, form_url)
        with self.writing(request):
            return super().user_change_password(request, id, form_url)


@admin.register(Group)
class GroupAdmin(Audited, CarefulLists, DjangoGroupAdmin, ModelAdmin):  # type: ignore[misc]
    """Groups of permissions."""

    nothing_yet = _("“manage.py migrate” makes a group for each role.")

    small = "A row for each kind of colleague."

    form = ReasonedModelForm

    @contextmanager
    def writing(self, request: HttpRequest, reason: str | None = None) -> Iterator[None]:
        """Also tells the security log where the change comes from."""
        with super().writing(request, reason):
            security.tell_database(request)
            yield

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Superusers: a group gives its members what it holds."""
        return request.user.is_superuser and super().has_add_permission(request)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Superusers."""
        return request.user.is_superuser and super().has_change_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Superusers."""
        return request.user.is_superuser and super().has_delete_permission(request, obj)

"""Pages of the portal about a person: signing in, a new password, the list of their schools."""

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import views as auth
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse, reverse_lazy
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.views import i18n
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from django.views.generic import FormView

from kitehub.models import Instance, User
from kitehub.portal.decorators import person_of
from kitehub.portal.forms import CodeForm, PasswordResetForm, SignInForm
from kitehub.services import second_factors, sessions, sign_ins


@require_safe
@never_cache
@login_required
def home(request: HttpRequest) -> HttpResponse:
    """The schools of whoever is signed in. Staff without any are at home in the back office."""
    person = person_of(request)
    schools = list(Instance.objects.owned_by(person.pk).order_by("organization_name", "id"))
    if not schools and person.is_staff:
        return redirect("admin:index")
    return render(request, "portal/home.html", {"schools": schools})


def set_language(request: HttpRequest) -> HttpResponse:
    """Sets the browser's language, and whoever is signed in gets their mail in it."""
    response = i18n.set_language(request)
    if request.method == "POST":
        _remember_language(request, request.POST.get(i18n.LANGUAGE_QUERY_PARAMETER, ""))
    return response


class SignIn(auth.LoginView):
    """Signing in by e-mail address and password."""

    template_name = "portal/sign_in.html"
    authentication_form = SignInForm
    redirect_authenticated_user = True

    def form_valid(self, form: Any) -> HttpResponse:
        """Lets them in; what their browser has been told to speak is what they read."""
        response = super().form_valid(form)
        chosen = self.request.COOKIES.get(settings.LANGUAGE_COOKIE_NAME, "")
        _remember_language(self.request, chosen)
        return response


class SecondStep(FormView):  # type: ignore[type-arg]
    """Asks for the code of who signs in with codes; nothing else opens before it."""

    template_name = "portal/code.html"
    form_class = CodeForm

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        """For those alone whose password was right and whose code is still to come."""
        if sessions.is_code_due(request) and not request.user.is_authenticated:
            # Of who was deactivated meanwhile nothing is left to come.
            request.session.flush()
        if not sessions.is_code_due(request):
            return redirect("home" if request.user.is_authenticated else "login")
        return super().dispatch(request, *args, **kwargs)

    def form_valid(self, form: CodeForm) -> HttpResponse:
        """Lets them in where they wanted to go."""
        person = person_of(self.request)
        try:
            second_factors.check(
                user_id=person.pk, code=form.cleaned_data["code"], at=timezone.now()
            )
        except second_factors.WrongCode:
            form.add_error("code", _("This code is wrong, or was used before. Wait for the next."))
            return self.form_invalid(form)
        except sign_ins.TooManyAttempts:
            form.add_error(None, _("Too many attempts. Wait 15 minutes and try again."))
            return self.form_invalid(form)
        sessions.code_was_right(self.request)
        return redirect(self.get_success_url())

    def get_success_url(self) -> str:
        """The page they asked for, if it is one of ours."""
        return sign_ins.way_on(self.request) or reverse("home")

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Also where they wanted to go."""
        asked = self.request.POST.get("next") or self.request.GET.get("next") or ""
        return super().get_context_data(next=asked, **kwargs)


class SignOut(auth.LogoutView):
    """Signing out, by POST."""

    next_page = "login"


class PasswordReset(FormView):  # type: ignore[type-arg]
    """Asks where to send a link to set a new password."""

    template_name = "portal/password_reset.html"
    form_class = PasswordResetForm
    success_url = reverse_lazy("login")

    def form_valid(self, form: PasswordResetForm) -> HttpResponse:
        """The same answer whether anybody has that address or not, but not too often."""
        at = timezone.now()
        try:
            sign_ins.count_attempt(
                login=f"password_reset {form.cleaned_data['email']}",
                address=sign_ins.address_of(self.request),
                at=at,
            )
        except sign_ins.TooManyAttempts:
            form.add_error(None, _("Too many attempts. Wait 15 minutes and try again."))
            return self.form_invalid(form)
        form.save(language=translation.get_language() or settings.LANGUAGE_CODE, at=at)
        messages.info(
            self.request,
            _("If this address has an account, a link to set a new password is on its way."),
        )
        return super().form_valid(form)


class NewPassword(auth.PasswordResetConfirmView):
    """Sets a new password, for who has the link; they are signed in by it."""

    template_name = "portal/new_password.html"
    post_reset_login = True
    success_url = reverse_lazy("home")

    def form_valid(self, form: Any) -> HttpResponse:
        """Says that it is done."""
        response = super().form_valid(form)
        messages.success(self.request, _("Your new password is set."))
        return response


def _remember_language(request: HttpRequest, language: str) -> None:
    if request.user.is_authenticated and language in dict(settings.LANGUAGES):
        person = User.objects.filter(pk=request.user.pk)
        person.exclude(language=language).update(language=language)

"""The back office's own page to sign in."""

from unfold.forms import AuthenticationForm

from kitehub.portal.forms import TellsWhen


class StaffSignInForm(TellsWhen, AuthenticationForm):
    """E-mail address and password; after too many attempts, when to try again."""

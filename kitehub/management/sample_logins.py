"""People of the demo whom quickstart lets sign in: an owner of a school, and staff with roles."""

from dataclasses import dataclass

from kitehub.demo.people import NO_PASSWORD, STAFF
from kitehub.demo.schools import SAMPLE
from kitehub.models import Instance, User
from kitehub.roles import Role


@dataclass(frozen=True, slots=True)
class SampleOwner:
    """A login of the portal; no password means one that somebody chose."""

    email: str
    school: str
    password: str | None


def ensure_sample_owner(*, password: str, reset: bool) -> SampleOwner | None:
    """Gives the owner of the demo's sample school a password, unless they have one.

    With `reset` also where they have another one. None where the demo isn't there.
    """
    school = Instance.objects.filter(pk=SAMPLE.id).select_related("owner").first()
    owner = school.owner if school else None
    if school is None or owner is None:
        return None
    known = _has(owner, password, reset=reset)
    return SampleOwner(owner.email, school.organization_name, password if known else None)


def ensure_colleagues(*, password: str, reset: bool) -> list[tuple[str, Role]]:
    """Gives the demo's staff a password in the same way: the logins that have it, with their roles.

    What one person asks for another approves, so one login is too few to try it.
    """
    found = {user.email: user for user in User.objects.filter(email__in=[row[1] for row in STAFF])}
    return [
        (email, role)
        for _name, email, role in STAFF
        if email in found and _has(found[email], password, reset=reset)
    ]


def _has(user: User, password: str, *, reset: bool) -> bool:
    """Whether that is the person's password, after they got it if they had none."""
    if user.password == NO_PASSWORD or reset:
        user.set_password(password)
        user.save(update_fields=["password"])
        return True
    return user.check_password(password)

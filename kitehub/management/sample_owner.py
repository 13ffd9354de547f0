"""The demo's owner whom quickstart lets sign in to the portal."""

from dataclasses import dataclass

from kitehub.demo.people import NO_PASSWORD
from kitehub.demo.schools import SAMPLE
from kitehub.models import Instance


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
    if owner.password == NO_PASSWORD or reset:
        owner.set_password(password)
        owner.save(update_fields=["password"])
        known = True
    else:
        known = owner.check_password(password)
    return SampleOwner(owner.email, school.organization_name, password if known else None)

"""The people whom quickstart lets sign in."""

import pytest

from kitehub.demo.people import NO_PASSWORD, STAFF
from kitehub.demo.schools import SAMPLE, SCHOOLS, Story
from kitehub.management.sample_logins import ensure_colleagues, ensure_sample_owner
from kitehub.models import User
from tests.factories.kitehub import InstanceFactory, UserFactory

pytestmark = pytest.mark.django_db


def test_the_sample_school_pays_and_is_its_owners_only_one() -> None:
    assert SAMPLE.story is Story.PAYING
    assert [school for school in SCHOOLS if school.brand == SAMPLE.brand] == [SAMPLE]


def test_without_the_demo_there_is_no_owner() -> None:
    assert ensure_sample_owner(password="one", reset=True) is None


def test_a_password_is_set_once_and_one_that_somebody_chose_is_left_alone() -> None:
    owner = UserFactory()
    type(owner).objects.filter(pk=owner.pk).update(password=NO_PASSWORD)
    InstanceFactory(id=SAMPLE.id, owner=owner)
    for _ in range(2):
        found = ensure_sample_owner(password="first", reset=False)
        assert found is not None
        assert (found.email, found.password) == (owner.email, "first")
    chosen = ensure_sample_owner(password="second", reset=False)
    assert chosen is not None
    assert chosen.password is None
    lost = ensure_sample_owner(password="third", reset=True)
    assert lost is not None
    owner.refresh_from_db()
    assert owner.check_password("third")


def test_colleagues_have_the_same_password_unless_they_chose_one() -> None:
    assert ensure_colleagues(password="one", reset=False) == []
    for _name, email, _role in STAFF:
        UserFactory(email=email)
    User.objects.update(password=NO_PASSWORD)
    roles = [(email, role) for _name, email, role in STAFF]
    assert ensure_colleagues(password="one", reset=False) == roles
    assert ensure_colleagues(password="another", reset=False) == []
    assert ensure_colleagues(password="another", reset=True) == roles

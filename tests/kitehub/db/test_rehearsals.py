"""A rehearsal leaves nothing behind, and hears of what only the commit would refuse."""

from uuid import uuid4

import pytest
from django.contrib.admin.models import ADDITION, LogEntry
from django.db import IntegrityError

from kitehub.db.rehearsals import rehearsal
from kitehub.models import Instance
from tests.factories.kitehub import InstanceFactory

pytestmark = pytest.mark.django_db


def test_what_the_commit_would_refuse_is_refused() -> None:
    with pytest.raises(IntegrityError), rehearsal():
        LogEntry.objects.create(user_id=uuid4(), action_flag=ADDITION)


def test_nothing_stays() -> None:
    with rehearsal():
        InstanceFactory()
    assert not Instance.objects.exists()

"""Why long work failed: in the reader's language, also where the database said it."""

import pytest
from django.test import Client

from kitehub.jobs.models import JobFailure
from kitehub.workflows import request_finishing, request_move
from tests.factories.kitehub import InstanceFactory
from tests.kitehub.backoffice.pages import page_url
from tests.kitehub.jobs.working import run_due

WHO = {"actor": "lan@example.vn", "reason": "x"}


@pytest.mark.django_db(transaction=True)
def test_a_database_that_is_away_is_said_and_which_address_to_mend(back_office: Client) -> None:
    school = InstanceFactory(database_url="postgres://127.0.0.1:1/sao_mai")
    request_finishing(instance_id=school.pk, **WHO)
    run_due()
    english = JobFailure.objects.get().error
    assert english == (
        "NotDone: The server at 127.0.0.1:1 doesn't answer. Start it, or correct the host and port "
        "in the instance's database_url."
    )
    page = back_office.get(page_url(school, "work")).text
    assert (
        "Máy chủ tại 127.0.0.1:1 không trả lời. Hãy khởi động máy chủ, hoặc sửa tên máy và cổng "
        "trong database_url của trường."
    ) in page
    request_move(instance_id=school.pk, to="pool", **WHO)
    run_due()
    assert JobFailure.objects.filter(error=english).count() == 2


@pytest.mark.django_db(transaction=True)
def test_a_bug_keeps_its_own_words(back_office: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*args: object, **kwargs: object) -> None:
        raise KeyError("tier")

    school = InstanceFactory()
    monkeypatch.setattr("kitehub.workflows.levers.provision", fails)
    request_finishing(instance_id=school.pk, **WHO)
    run_due()
    found = JobFailure.objects.get()
    assert (found.error, found.said) == ("KeyError: 'tier'", None)
    assert "KeyError: &#x27;tier&#x27;" in back_office.get(page_url(school, "work")).text

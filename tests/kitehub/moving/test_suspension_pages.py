"""Staff suspend and resume from the pages of instances: always by POST, always with a reason."""

import json

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client

from kitehub import tenancy
from kitehub.enums import InstanceStatus
from kitehub.models import Instance, InstanceConfig, InstanceSuspension
from kitehub.tenancy import gates
from tests.factories.kitehub import InstanceFactory
from tests.kitehub.backoffice.pages import (
    act_on_all,
    list_url,
    messages_of,
    opened,
    page_url,
    results_of,
    save,
)
from tests.kitehub.moving.schools import fresh, school, upload

SENT = {"_form_submitted": "1"}


def suspending(school: Instance) -> dict[str, str]:
    return {**SENT, "reason": "nợ phí", "retyped": school.subdomain}


@pytest.fixture
def made(transactional_db: None) -> Instance:
    """A school in the pool, with rows, whose transactions end."""
    return school()


def test_dialog_suspends_with_a_reason_and_not_without(made: Instance, back_office: Client) -> None:
    address = page_url(made, "suspend_one")
    back_office.get(address)
    for missing in ({"reason": ""}, {"retyped": ""}, {"retyped": "truong-khac"}):
        back_office.post(address, {**suspending(made), **missing})
        assert fresh(made).status == InstanceStatus.ACTIVE
    answer = back_office.post(address, suspending(made), follow=True)
    assert messages_of(answer) == [f"Đã tạm ngưng “{made}”."]
    assert fresh(made).updated_by == "staff@kitehub.test"
    assert InstanceSuspension.objects.get().reason == "nợ phí"
    assert {"reason": "nợ phí"} in json.loads(LogEntry.objects.get().change_message)
    page = back_office.get(page_url(made)).content.decode()
    assert ("/suspend/" in page, "/resume/" in page) == (False, True)
    with tenancy.use(made), pytest.raises(tenancy.WritesRefused):
        upload(made.pk)
    back_office.post(page_url(made, "resume_one"), {**SENT, "reason": "đã trả"})
    assert fresh(made).status == InstanceStatus.ACTIVE
    with tenancy.use(made):
        upload(made.pk)


def test_several_are_told_of_one_by_one(made: Instance, back_office: Client) -> None:
    other, closed = InstanceFactory(), InstanceFactory(status=InstanceStatus.CLOSED)
    rows = [made, other, closed]
    ask = act_on_all(back_office, list_url(Instance), "suspend_all", rows)
    assert results_of(ask) == {
        str(made): True,
        str(other): True,
        str(closed): False,
    }
    assert not InstanceSuspension.objects.exists()
    answer = act_on_all(back_office, list_url(Instance), "suspend_all", rows, reason="nợ")
    assert {it.said for it in answer.context["outcomes"]} == {
        f"Đã tạm ngưng “{made}”.",
        f"Đã tạm ngưng “{other}”.",
        f"“{closed}” đã đóng hoặc đã xóa.",
    }
    answer = act_on_all(back_office, list_url(Instance), "resume_all", rows, reason="nợ")
    assert f"“{closed}” không bị tạm ngưng." in {it.said for it in answer.context["outcomes"]}
    assert fresh(made).status == fresh(other).status == InstanceStatus.ACTIVE


def test_database_that_cannot_be_told_is_a_message(
    made: Instance, back_office: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unreachable(*args: object, **kwargs: object) -> None:
        raise ConnectionError

    monkeypatch.setattr(gates, "close", unreachable)
    answer = back_office.post(page_url(made, "suspend_one"), suspending(made), follow=True)
    assert any("Không báo được" in said for said in messages_of(answer))
    assert fresh(made).status == InstanceStatus.SUSPENDED


def test_status_alone_suspends_nobody(made: Instance, back_office: Client) -> None:
    save(back_office, made, status="SUSPENDED")
    assert fresh(made).status == InstanceStatus.ACTIVE


def test_page_of_a_suspended_schools_row_says_why_it_is_not_saved(
    made: Instance, back_office: Client
) -> None:
    config = InstanceConfig.objects.get()
    form = opened(back_office, config)
    back_office.post(page_url(made, "suspend_one"), suspending(made))
    page = save(back_office, config, form, tier="PREMIUM")
    assert "đang bị tạm ngưng" in page.content.decode()
    assert InstanceConfig.objects.get().tier == "STANDARD"

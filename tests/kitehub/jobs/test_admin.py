"""Jobs in the admin: read, and tried again where they failed."""

import json

import pytest
from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from procrastinate.contrib.django.models import ProcrastinateJob

from kitehub.jobs import services
from kitehub.jobs.models import Job
from kitehub.models import Instance
from kitehub.workflows.levers import lock_name
from tests.concurrency.threads import together
from tests.factories.kitehub import InstanceFactory, UserFactory
from tests.kitehub.backoffice.pages import act_on_all, list_url, messages_of, page_url, results_of
from tests.kitehub.jobs.working import states

pytestmark = pytest.mark.django_db
LIST = "admin:jobs_job_changelist"


def failed(school: Instance, error: Exception, *, lock: str | None = None) -> Job:
    job_id = services.enqueue(
        "kitehub.tasks.apply_tier",
        lock=lock,
        instance_id=str(school.pk),
        actor="lan",
        reason="nâng gói",
    )
    with connection.cursor() as cursor:
        cursor.execute("UPDATE procrastinate_jobs SET status = 'doing' WHERE id = %s", [job_id])
        cursor.execute("SELECT procrastinate_finish_job_v1(%s, 'failed', false)", [job_id])
    services.record_failure(job_id=job_id, error=error)
    return Job.objects.get(pk=job_id)


@pytest.fixture
def job(db: None) -> Job:
    return failed(InstanceFactory(subdomain="sao-mai"), RuntimeError("no route\nDETAIL: row"))


def test_theirs_is_not_in_the_admin() -> None:
    assert Job in admin.site._registry
    assert ProcrastinateJob not in admin.site._registry


@pytest.mark.parametrize(
    ("language", "words"),
    [("vi", ["thất bại", "lỗi gần nhất", "Tác vụ nền"]), ("en", ["failed", "last error"])],
)
def test_list_and_page_say_what_failed_and_why(
    language: str, words: list[str], back_office: Client, job: Job
) -> None:
    back_office.cookies["django_language"] = language
    for page in (back_office.get(reverse(LIST)), back_office.get(page_url(job))):
        text = page.content.decode()
        assert page.status_code == 200
        assert "RuntimeError: no route" in text
        assert "DETAIL" not in text
        assert "nâng gói" in text
        lower = text.lower()
        assert [word for word in words if word.lower() not in lower] == []


def test_queries_of_the_list_do_not_grow_with_its_rows(back_office: Client, job: Job) -> None:
    with CaptureQueriesContext(connection) as few:
        back_office.get(list_url(Job))
    for number in range(10):
        failed(InstanceFactory(), RuntimeError(f"no route {number}"))
    with CaptureQueriesContext(connection) as many:
        back_office.get(list_url(Job))
    assert len(few) == len(many) == 4, "\n".join(q["sql"] for q in many.captured_queries)


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"tab": "failed"}, 1),
        ({"tab": "todo"}, 0),
        ({"tab": "bogus"}, 1),
        ({"q": "sao-mai"}, 1),
        ({"q": "apply_tier"}, 1),
        ({"q": "tier"}, 0),
        ({"q": "9" * 30}, 0),
    ],
)
def test_jobs_are_found_by_state_and_by_instance(
    query: dict[str, str], found: int, back_office: Client, job: Job
) -> None:
    page = back_office.get(reverse(LIST), query)
    assert len(page.context["cl"].result_list) == found


def test_a_job_is_found_by_its_number(back_office: Client, job: Job) -> None:
    page = back_office.get(reverse(LIST), {"q": str(job.pk)})
    assert [row.pk for row in page.context["cl"].result_list] == [job.pk]


def test_nothing_is_written_by_hand(back_office: Client, job: Job) -> None:
    assert back_office.get(reverse("admin:jobs_job_add")).status_code == 403
    assert back_office.post(page_url(job), {"attempts": "7"}).status_code == 403
    assert back_office.post(page_url(job, "delete"), {"post": "yes"}).status_code == 403


def test_a_failed_job_is_put_into_the_queue_again_after_asking(
    back_office: Client, job: Job
) -> None:
    assert page_url(job, "requeue") in back_office.get(page_url(job)).content.decode()
    assert back_office.get(page_url(job, "requeue")).status_code == 200
    assert states() == ["failed"]
    sent = {"_form_submitted": "True", "reason": "máy chủ đã chạy lại"}
    assert back_office.post(page_url(job, "requeue"), sent).status_code == 302
    assert states() == ["todo"]
    assert {"reason": "máy chủ đã chạy lại"} in json.loads(LogEntry.objects.get().change_message)
    assert page_url(job, "requeue") not in back_office.get(page_url(job)).content.decode()
    again = back_office.post(page_url(job, "requeue"), sent, follow=True)
    assert any("thất bại" in said for said in messages_of(again))


def test_long_work_on_a_school_is_asked_for_anew_on_its_page_instead(back_office: Client) -> None:
    school = InstanceFactory()
    job = failed(school, RuntimeError("no route"), lock=lock_name(school.pk))
    assert page_url(job, "requeue") not in back_office.get(page_url(job)).text
    sent = {"_form_submitted": "True", "reason": "thử lại"}
    refused = back_office.post(page_url(job, "requeue"), sent, follow=True)
    assert f'href="{page_url(school)}"' in refused.text
    other = failed(InstanceFactory(), RuntimeError("no route"))
    done = act_on_all(back_office, list_url(Job), "requeue_all", [job, other], reason="thử lại")
    assert list(results_of(done).values()) == [False, True]
    assert f" {page_url(school)}" in done.text
    assert "<" not in done.context["outcomes"][0].said
    assert states() == ["failed", "todo"]


def test_who_may_only_look_cannot_try_again(client: Client, job: Job) -> None:
    clerk = UserFactory(staff=True)
    clerk.user_permissions.add(Permission.objects.get(codename="view_job"))
    client.force_login(clerk)
    assert client.get(page_url(job)).status_code == 200
    assert client.post(page_url(job, "requeue"), {"_form_submitted": "1"}).status_code == 403


def waiting() -> Job:
    made = services.enqueue("kitehub.tasks.send_email", email_id="x")
    return Job.objects.get(pk=made)


def test_a_job_that_waits_is_taken_out_of_the_queue_for_a_reason(back_office: Client) -> None:
    job, sent = waiting(), {"_form_submitted": "True", "reason": "gửi nhầm"}
    assert page_url(job, "cancel") in back_office.get(page_url(job)).text
    assert "send_email" in back_office.get(page_url(job, "cancel")).text
    back_office.post(page_url(job, "cancel"), {**sent, "reason": ""})
    assert states() == ["todo"]
    back_office.post(page_url(job, "cancel"), sent)
    assert states() == ["cancelled"]
    assert {"reason": "gửi nhầm"} in json.loads(LogEntry.objects.get().change_message)
    again = back_office.post(page_url(job, "cancel"), sent, follow=True)
    assert "đang chờ" in messages_of(again)[-1]
    rubbish = page_url(job, "cancel").replace(str(job.pk), "rubbish")
    assert back_office.post(rubbish, sent).status_code in {302, 404}


def test_several_are_tried_again_or_taken_out_each_with_its_result(
    back_office: Client, job: Job
) -> None:
    other = waiting()
    rows = [job, other]
    asked = act_on_all(back_office, list_url(Job), "requeue_all", rows)
    assert list(results_of(asked).values()) == [True, False]
    assert states() == ["failed", "todo"]
    said = {"reason": "máy chủ đã chạy lại"}
    done = act_on_all(back_office, list_url(Job), "requeue_all", rows, **said)
    assert list(results_of(done).values()) == [True, False]
    assert states() == ["todo", "todo"]
    done = act_on_all(back_office, list_url(Job), "cancel_all", rows, **said)
    assert list(results_of(done).values()) == [True, True]
    assert states() == ["cancelled", "cancelled"]


@pytest.mark.parametrize(("right", "name"), [("retry_job", "requeue"), ("cancel_job", "cancel")])
def test_each_lever_has_its_own_permission(right: str, name: str, client: Client, job: Job) -> None:
    rows = {"requeue": job, "cancel": waiting()}
    clerk = UserFactory(staff=True)
    clerk.user_permissions.set(Permission.objects.filter(codename__in=["view_job", right]))
    client.force_login(clerk)
    sent = {"_form_submitted": "1", "reason": "vì"}
    for each, row in rows.items():
        answer = client.post(page_url(row, each), sent)
        assert answer.status_code == (302 if each == name else 403)


@pytest.mark.django_db(transaction=True)
def test_of_two_who_take_a_job_out_at_once_one_is_told_that_it_is_gone() -> None:
    job = waiting()

    def cancel() -> bool:
        return services.cancel_waiting(job_id=job.pk)

    assert sorted(together(cancel, cancel)) == [False, True]


@pytest.mark.parametrize("number", ["9" * 5000, "9" * 30, "٣", "-1", "x"])
def test_no_number_of_a_job_is_an_error(back_office: Client, number: str) -> None:
    for action in ("requeue", "cancel"):
        page = reverse(f"admin:jobs_job_{action}", args=[number])
        assert back_office.get(page).status_code in {200, 302, 404}
        sent = {"_form_submitted": "True", "reason": "x"}
        assert back_office.post(page, sent).status_code in {200, 302, 404}

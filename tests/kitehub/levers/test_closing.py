"""Staff close a school from its page, and open it again as long as its data is there."""

import errno
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission
from django.test import Client
from django.utils import timezone

from kitehub.archives import file_digest
from kitehub.closing import tombstones
from kitehub.jobs.models import Job, JobFailure
from kitehub.jobs.services import requeue_failed
from kitehub.models import Instance, InstanceMove, Tombstone
from kitehub.workflows import LeverRefused, cancel_deprovision, request_closing, work_on
from tests.concurrency.threads import together
from tests.factories.kitehub import InstanceFactory, TombstoneFactory, UserFactory
from tests.kitehub.backoffice.pages import act_on_all, list_url, messages_of, page_url, results_of
from tests.kitehub.jobs.working import run_due
from tests.kitehub.moving.schools import fresh

SENT = {"_form_submitted": "1", "reason": "ngừng hoạt động"}


def closing(school: Instance, **changes: str) -> dict[str, str]:
    return {**SENT, "retyped": school.subdomain, "days": "10", **changes}


@pytest.fixture
def archives(tmp_path: Path, settings: Any) -> Path:
    settings.KITEHUB_ARCHIVES = str(tmp_path)
    return tmp_path


def test_school_is_archived_and_closed_by_a_job_and_opened_again(
    moved_school: Instance, back_office: Client, archives: Path
) -> None:
    page = page_url(moved_school, "close")
    assert str(archives) in back_office.get(page).text
    for missing in ({"reason": " "}, {"retyped": ""}, {"days": "0"}, {"days": "400"}, {"days": ""}):
        back_office.post(page, closing(moved_school, **missing))
    assert not Job.objects.exists(), "bad input closes nobody"
    answer = back_office.post(page, closing(moved_school))
    assert answer.url == page_url(moved_school, "work")
    assert not fresh(moved_school).deleted
    run_due()
    assert fresh(moved_school).deleted
    tombstone = Tombstone.objects.get()
    assert (tombstone.reason, tombstone.requested_by) == (SENT["reason"], "staff@kitehub.test")
    left = tombstone.deprovision_at - timezone.now()
    assert timedelta(days=9) < left <= timedelta(days=10)
    assert Path(tombstone.archive_path).parent == archives
    shown = back_office.get(page_url(moved_school)).text
    assert "/reopen/" in shown
    assert "/restore/" not in shown, "which would leave its data to go"
    refused = back_office.post(page_url(moved_school, "restore"), SENT, follow=True)
    assert "Mở lại trường đã đóng" in messages_of(refused)[-1]
    assert fresh(moved_school).deleted
    again = back_office.post(page, closing(moved_school), follow=True)
    assert messages_of(again)[-1] == "Trường đã đóng hoặc đã xóa rồi."
    back_office.post(page_url(moved_school, "reopen"), {**SENT, "reason": ""})
    assert fresh(moved_school).deleted
    back_office.post(page_url(moved_school, "reopen"), SENT)
    assert not fresh(moved_school).deleted
    assert Tombstone.objects.get().canceled_by == "staff@kitehub.test"


def test_a_school_that_is_opened_again_stays_open_however_often_its_closing_is_run(
    moved_school: Instance,
    back_office: Client,
    archives: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def in_the_meantime(*args: Any, **kwargs: Any) -> str:
        refused = back_office.post(page_url(moved_school, "reopen"), SENT, follow=True)
        assert "chưa xong" in messages_of(refused)[-1], "its job may close it once more"
        cancel_deprovision(fresh(moved_school), actor="command")
        return "these tables have changed since"

    back_office.post(page_url(moved_school, "close"), closing(moved_school))
    with monkeypatch.context() as patch:
        patch.setattr(tombstones, "what_differs", in_the_meantime)
        run_due()
    job = Job.objects.get()
    assert (job.status, fresh(moved_school).deleted) == ("failed", False)
    assert requeue_failed(job_id=job.pk)
    run_due()
    assert Job.objects.get().status == "failed"
    assert not fresh(moved_school).deleted
    assert "was opened again since" in JobFailure.objects.get().error
    back_office.post(page_url(moved_school, "close"), closing(moved_school))
    run_due()
    assert fresh(moved_school).deleted, "asked for anew"


def test_a_closing_that_failed_once_the_school_was_hidden_is_finished(
    moved_school: Instance,
    back_office: Client,
    archives: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def lever() -> bool:
        return "/finish-closing/" in back_office.get(page_url(moved_school)).text

    def fails(*args: Any, **kwargs: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device", str(archives))

    assert not lever()
    back_office.post(page_url(moved_school, "close"), closing(moved_school))
    with monkeypatch.context() as patch:
        patch.setattr(tombstones, "what_differs", fails)
        run_due()
    due = Tombstone.objects.get().deprovision_at
    assert (Job.objects.get().status, fresh(moved_school).deleted) == ("failed", True)
    assert lever()
    asked = back_office.get(page_url(moved_school, "finish_closing")).text
    for shown in (Tombstone.objects.get().archive_path, f"{archives}: đĩa đã đầy."):
        assert shown in asked
    Path(Tombstone.objects.get().archive_path).write_bytes(b"half")
    back_office.post(page_url(moved_school, "finish_closing"), {**SENT, "reason": " "})
    assert Job.objects.count() == 1, "no reason, no work"
    answer = back_office.post(page_url(moved_school, "finish_closing"), SENT)
    assert answer.url == page_url(moved_school, "work")
    again = back_office.post(page_url(moved_school, "finish_closing"), SENT, follow=True)
    assert "chưa xong" in messages_of(again)[-1]
    run_due()
    found = Tombstone.objects.get()
    assert [job.status for job in work_on(moved_school.pk)] == ["succeeded", "failed"]
    assert (found.deprovision_at, fresh(moved_school).deleted) == (due, True)
    assert len(found.earlier_archives) == 1, "the broken one gave way to a whole one"
    assert file_digest(Path(found.archive_path)) == found.archive_sha256
    assert LogEntry.objects.count() == 2
    assert SENT["reason"] in back_office.get(page_url(moved_school)).text


@pytest.mark.django_db
def test_only_a_closing_of_which_something_is_left_is_finished(
    back_office: Client, archives: Path
) -> None:
    open_one, gone = InstanceFactory(), InstanceFactory()
    TombstoneFactory(instance=gone, erasing_at=timezone.now(), dropped_at=timezone.now())
    gone.delete()
    for school in (open_one, gone):
        assert "/finish-closing/" not in back_office.get(page_url(school)).text
        answer = back_office.post(page_url(school, "finish_closing"), SENT, follow=True)
        assert messages_of(answer)[-1] == "Trường không bị đóng, hoặc dữ liệu không còn."
    assert not Job.objects.exists()


@pytest.mark.django_db
def test_nobody_closes_a_school_without_a_folder_or_in_the_middle_of_a_move(
    back_office: Client, settings: Any
) -> None:
    school = InstanceFactory()
    settings.KITEHUB_ARCHIVES = ""
    said = "Chưa có nơi cất bản lưu trữ"
    for name in ("close", "finish_closing"):
        page = page_url(school, name)
        shown = back_office.get(page).text
        assert said in shown, "before anything is typed"
        assert 'name="reason"' not in shown
        assert shown.count('role="alert"') == 1
        assert said in back_office.post(page, closing(school)).text
    with pytest.raises(LeverRefused):
        request_closing(instance_id=school.pk, grace=timedelta(days=1), actor="x", reason="y")
    settings.KITEHUB_ARCHIVES = "/archives"
    InstanceMove.objects.create(instance=school, source_url="a", target_url="b")
    answer = back_office.post(page_url(school, "close"), closing(school), follow=True)
    assert "chưa hoàn tất" in messages_of(answer)[-1]
    assert not Job.objects.exists()


@pytest.mark.django_db
def test_closed_schools_are_opened_again_from_the_list_row_by_row(back_office: Client) -> None:
    closed, late, never = (InstanceFactory() for _ in range(3))
    TombstoneFactory(instance=closed)
    TombstoneFactory(instance=late, erasing_at=timezone.now())
    for school in (closed, late, never):
        school.delete()
    rows, address = [closed, late, never], f"{list_url(Instance)}?deleted=yes"
    asked = act_on_all(back_office, address, "reopen_all", rows)
    expected = {str(closed): True, str(late): False, str(never): False}
    assert results_of(asked) == expected
    assert fresh(closed).deleted
    done = act_on_all(back_office, address, "reopen_all", rows, reason="nhầm")
    assert results_of(done) == expected
    assert [fresh(row).deleted for row in (closed, late, never)] == [False, True, True]
    form = {"action": "restore_selected", "_selected_action": [str(row.pk) for row in rows]}
    refused = back_office.post(address, {**form, "confirmed": "yes", "reason": "nhầm"}, follow=True)
    assert "Mở lại trường đã đóng" in messages_of(refused)[-1]
    assert fresh(never).deleted, "nor the others of that choice"


def test_of_two_who_close_a_school_at_once_one_is_told_to_wait(
    transactional_db: None, archives: Path
) -> None:
    school = InstanceFactory()

    def ask() -> int:
        return request_closing(
            instance_id=school.pk, grace=timedelta(days=1), actor="a", reason="b"
        )

    assert [isinstance(each, LeverRefused) for each in together(ask, ask)].count(True) == 1
    assert Job.objects.count() == 1


@pytest.mark.django_db
def test_only_who_may_close_schools_pulls_the_levers(client: Client, archives: Path) -> None:
    school, clerk = InstanceFactory(), UserFactory(is_staff=True)
    names = ["view_instance", "change_instance", "delete_instance"]
    clerk.user_permissions.set(Permission.objects.filter(codename__in=names))
    client.force_login(clerk)
    assert f"/{school.pk}/close/" not in client.get(page_url(school)).text
    assert client.post(page_url(school, "close"), closing(school)).status_code == 403
    for name in ("reopen", "finish_closing"):
        assert client.post(page_url(school, name), SENT).status_code == 403
    clerk.user_permissions.add(Permission.objects.get(codename="close_instance"))
    client.post(page_url(school, "close"), closing(school))
    assert Job.objects.count() == 1


def test_why_a_closing_failed_is_said_in_vietnamese(
    moved_school: Instance, back_office: Client, archives: Path
) -> None:
    back_office.post(page_url(moved_school, "close"), closing(moved_school))
    archives.rmdir()
    run_due()
    assert fresh(moved_school).deleted is False
    page = back_office.get(page_url(moved_school, "work")).text
    assert f"Không dùng được {archives}/" in page
    assert "không có ở đó." in page
    assert JobFailure.objects.get().error.startswith("NotDone: ")

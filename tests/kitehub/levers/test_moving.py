"""Staff move a school from its page: a job does it, and the page says how far it is."""

import json
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission
from django.test import Client
from django.utils.translation import gettext_noop as noop

from kitehub import tenancy, workflows
from kitehub.db.gates import GateReason
from kitehub.db.sentences import Sentence
from kitehub.enums import MoveStep
from kitehub.jobs.models import Job
from kitehub.models import Instance, InstanceMove, InstanceWatch
from kitehub.moving import run
from kitehub.tenancy import gates
from kitehub.workflows import LeverRefusal, LeverRefused, request_move, work_on
from tests.concurrency.threads import together
from tests.factories.kitehub import InstanceFactory, UserFactory
from tests.kitehub.backoffice.pages import messages_of, page_url
from tests.kitehub.jobs.working import run_due
from tests.kitehub.moving.schools import fresh, sums

SENT = {"_form_submitted": "1", "reason": "đông học viên"}


def moving(school: Instance, **changes: str) -> dict[str, str]:
    return {**SENT, "retyped": school.subdomain, "to": "silo", **changes}


def offered(client: Client, school: Instance) -> set[str]:
    """The levers of moves that a school's page offers."""
    page = client.get(page_url(school)).text
    names = ("move", "go-on", "abort-move", "purge-moves")
    return {name for name in names if f"/{school.pk}/{name}/" in page}


def work_page(client: Client, school: Instance) -> Any:
    return client.get(page_url(school, "work"))


def test_school_is_moved_by_a_job_and_what_it_left_is_removed(
    moved_school: Instance, back_office: Client
) -> None:
    before = sums(moved_school)
    assert offered(back_office, moved_school) == {"move"}
    for missing in ({"reason": ""}, {"retyped": "other"}, {"to": "moon"}, {"to": ""}):
        back_office.post(page_url(moved_school, "move"), moving(moved_school, **missing))
    assert not Job.objects.exists(), "bad input moves nobody"
    answer = back_office.post(page_url(moved_school, "move"), moving(moved_school))
    assert answer.url == page_url(moved_school, "work")
    page = work_page(back_office, moved_school)
    assert "every 3s" in page.text, "it looks again by itself"
    again = back_office.post(page_url(moved_school, "move"), moving(moved_school), follow=True)
    assert "chưa xong" in messages_of(again)[-1]
    assert work_on(moved_school.pk).count() == 1
    run_due()
    assert tenancy.is_silo(tenancy.alias_of(fresh(moved_school)))
    assert sums(moved_school) == before
    move = InstanceMove.objects.get()
    assert (move.step, move.created_by) == (MoveStep.DONE, "staff@kitehub.test")
    page = work_page(back_office, moved_school)
    assert "every 3s" not in page.text
    assert all(done for _words, done, _detail in page.context["steps"])
    assert {"reason": "đông học viên"} in json.loads(LogEntry.objects.get().change_message)
    assert InstanceWatch.objects.get().reachable, "the new place was looked at"
    there = back_office.post(page_url(moved_school, "move"), moving(moved_school))
    assert there.status_code == 200, "where it lives is no choice"
    assert work_on(moved_school.pk).count() == 1
    assert offered(back_office, moved_school) == {"move", "purge-moves"}
    purge = {**SENT, "retyped": moved_school.subdomain}
    back_office.post(page_url(moved_school, "purge_moves"), purge)
    run_due()
    assert InstanceMove.objects.get().step == MoveStep.PURGED
    again = back_office.post(page_url(moved_school, "purge_moves"), purge, follow=True)
    assert "không để lại" in messages_of(again)[-1]


def test_move_that_fails_says_why_and_is_gone_on_with_or_given_up(
    moved_school: Instance, back_office: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*args: Any) -> None:
        raise run.MoveRefused(Sentence(noop("The switch came too late; run this again.")))

    with monkeypatch.context() as patch:
        patch.setattr(run, "_copy", fails)
        back_office.post(page_url(moved_school, "move"), moving(moved_school))
        run_due()
    assert Job.objects.get().status == "failed"
    page = work_page(back_office, moved_school)
    assert "Bước chuyển hẳn đến quá muộn; hãy chạy lại." in page.text
    kept = Job.objects.get().failure
    assert kept.error == "MoveRefused: The switch came too late; run this again."
    assert "Bước chuyển hẳn" in back_office.get(page_url(Job.objects.get())).text
    back_office.cookies["django_language"] = "en"
    assert "The switch came too late" in work_page(back_office, moved_school).text
    back_office.cookies["django_language"] = "vi"
    assert [done for _words, done, _detail in page.context["steps"]] == [True, True] + [False] * 3
    assert offered(back_office, moved_school) == {"go-on", "abort-move"}
    refused = back_office.post(page_url(moved_school, "move"), moving(moved_school), follow=True)
    assert "chưa hoàn tất" in messages_of(refused)[-1]
    with monkeypatch.context() as patch:
        patch.setattr(run, "_copy", fails)
        back_office.post(page_url(moved_school, "go_on_with_move"), SENT)
        run_due()
    assert InstanceMove.objects.get().step == MoveStep.PREPARED
    back_office.post(page_url(moved_school, "abort_move"), {**SENT, "reason": ""})
    assert work_on(moved_school.pk).count() == 2, "no reason, no work"
    back_office.post(page_url(moved_school, "abort_move"), SENT)
    run_due()
    assert InstanceMove.objects.get().step == MoveStep.ABORTED
    assert GateReason.MOVING not in gates.reasons(tenancy.POOL, moved_school.pk)
    assert offered(back_office, moved_school) == {"move"}
    for name in ("go_on_with_move", "abort_move"):
        answer = back_office.post(page_url(moved_school, name), SENT, follow=True)
        assert "Không có lần chuyển" in messages_of(answer)[-1]
    back_office.post(page_url(moved_school, "move"), moving(moved_school))
    run_due()
    assert InstanceMove.objects.filter(step=MoveStep.DONE).exists()


def test_of_two_who_move_a_school_at_once_one_is_told_to_wait(transactional_db: None) -> None:
    school = InstanceFactory()

    def ask() -> int:
        return request_move(instance_id=school.pk, to="silo", actor="a", reason="b")

    found = together(ask, ask)
    refused = [each for each in found if isinstance(each, LeverRefused)]
    assert [each.refusal for each in refused] == [LeverRefusal.BUSY]
    assert Job.objects.count() == 1


@pytest.mark.django_db
def test_school_with_an_address_that_cannot_be_read_is_a_message(back_office: Client) -> None:
    school = InstanceFactory(database_url="nonsense")
    assert back_office.get(page_url(school, "move")).status_code == 200
    answer = back_office.post(page_url(school, "move"), moving(school), follow=True)
    assert messages_of(answer)[-1] == (
        "Chưa bắt đầu gì: địa chỉ cơ sở dữ liệu của trường không đọc được. Hãy sửa địa chỉ trước."
    )
    assert work_page(back_office, school).status_code == 200
    assert back_office.get(page_url(school, "why")).status_code == 200


@pytest.mark.django_db
def test_requests_are_refused_where_nothing_is_to_be_done() -> None:
    school, gone = InstanceFactory(), InstanceFactory()
    gone.delete()
    who = {"actor": "a", "reason": "b"}
    for expected, ask in (
        (LeverRefusal.THERE_ALREADY, lambda: request_move(instance_id=school.pk, to="pool", **who)),
        (LeverRefusal.GONE, lambda: request_move(instance_id=gone.pk, to="silo", **who)),
        (
            LeverRefusal.NO_SUCH_PLACE,
            lambda: request_move(instance_id=school.pk, to="silo:nowhere", **who),
        ),
    ):
        with pytest.raises(LeverRefused) as caught:
            ask()
        assert caught.value.refusal == expected
    InstanceMove.objects.create(
        instance=school, source_url="a", target_url="b", step=MoveStep.SWITCHED
    )
    with pytest.raises(LeverRefused) as caught:
        workflows.request_abort(instance_id=school.pk, **who)
    assert caught.value.refusal == LeverRefusal.SWITCHED
    assert not Job.objects.exists()


@pytest.mark.django_db
def test_only_who_may_move_schools_sees_and_pulls_the_lever(client: Client) -> None:
    school, clerk = InstanceFactory(), UserFactory(is_staff=True)
    permissions = Permission.objects.filter(codename__in=["view_instance", "change_instance"])
    clerk.user_permissions.set(permissions)
    client.force_login(clerk)
    assert offered(client, school) == set()
    for name in ("move", "go_on_with_move", "abort_move", "purge_moves"):
        assert client.post(page_url(school, name), moving(school)).status_code == 403
    assert not Job.objects.exists()
    clerk.user_permissions.add(Permission.objects.get(codename="move_instance"))
    assert offered(client, school) == {"move"}
    assert client.get(page_url(school, "move")).status_code == 200
    client.post(page_url(school, "move"), moving(school))
    assert Job.objects.count() == 1

"""Whatever staff do in the admin leaves who did it, what it was, and why."""

from typing import Any

import pytest
from django.contrib.admin.models import ADDITION, CHANGE, DELETION, LogEntry
from django.contrib.auth.models import Group, Permission
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from branding.models import BrandingJob
from kitehub.models import Instance, User
from tests.factories.branding import BrandingJobFactory
from tests.factories.kitehub import InstanceFactory, UserFactory
from tests.kitehub.backoffice.pages import form_of, messages_of, page_url, save

WHY = "theo yêu cầu của trường"


def history_page(client: Client, row: Any) -> list[tuple[list[str], str]]:
    """The row's history page: what was done and why, oldest first."""
    page = client.get(page_url(row, "history"))
    assert page.status_code == 200
    return [(entry.deeds, entry.reason) for entry in page.context["action_list"]]


def test_row_that_is_added_has_its_maker(back_office: Client) -> None:
    owner = UserFactory()
    url = reverse("admin:kitehub_instance_add")
    form = form_of(back_office.get(url))
    form |= {"organization_name": "Hòa Ca", "subdomain": "hoa-ca", "owner": str(owner.pk)}
    form |= {"tier": "BASIC", "status": "TRIAL"}
    assert back_office.post(url, {**form, "reason": WHY}).status_code == 302
    school = Instance.objects.get()
    assert (school.created_by, school.updated_by) == ("staff@kitehub.test",) * 2
    assert history_page(back_office, school) == [(["Đã thêm."], WHY)]
    assert LogEntry.objects.get().action_flag == ADDITION


def test_change_is_told_from_what_to_what_and_why(back_office: Client) -> None:
    job = BrandingJobFactory(created_by="import")
    save(back_office, job, status="PROCESSING", reason=WHY)
    save(back_office, job, logo_url="https://hoa-ca.vn/logo.png")
    job.refresh_from_db()
    assert (job.created_by, job.updated_by) == ("import", "staff@kitehub.test")
    assert history_page(back_office, job) == [
        (["Trạng thái: Đang chờ → Đang xử lý"], WHY),
        (["Logo: – → https://hoa-ca.vn/logo.png"], ""),
    ]
    text = back_office.get(page_url(job, "history")).content.decode()
    assert WHY in text
    assert "staff@kitehub.test (Lê Na)" in text


def test_django_s_own_reading_of_the_log_still_works(back_office: Client) -> None:
    job = BrandingJobFactory()
    save(back_office, job, status="PROCESSING", reason=WHY)
    back_office.post(page_url(job, "delete"), {"post": "yes", "reason": WHY})
    back_office.post(page_url(job, "restore"), {"_form_submitted": "1"})
    changed, deleted, restored = LogEntry.objects.order_by("pk")
    assert (changed.action_flag, deleted.action_flag) == (CHANGE, DELETION)
    assert changed.get_change_message() == "Đã sửa Trạng thái."
    assert str(deleted) == f"Đã xóa “{job}”."
    assert restored.get_change_message() == "Đã sửa đã xóa."


def test_queries_of_the_log_do_not_grow(back_office: Client) -> None:
    job = BrandingJobFactory()
    counts = []
    for _ in range(2):
        for _ in range(3):
            save(back_office, job, instance=str(InstanceFactory().pk))
        with CaptureQueriesContext(connection) as queries:
            told = history_page(back_office, job)
        counts.append(len(queries))
    assert counts == [6, 6]
    names = [deed.removeprefix("Trường học: ").split(" → ") for (deed,), _why in told]
    assert [name for _old, name in names[:-1]] == [name for name, _new in names[1:]]
    assert BrandingJob.objects.get().instance.organization_name == names[-1][1]


@pytest.mark.parametrize("reason", ["x" * 501, "a\x00b"])
def test_reason_that_cannot_be_kept_is_an_error_of_its_field(
    back_office: Client, reason: str
) -> None:
    job = BrandingJobFactory()
    page = save(back_office, job, status="PROCESSING", reason=reason)
    assert list(page.context["adminform"].form.errors) == ["reason"]
    assert BrandingJob.objects.get().status == "PENDING"


def test_login_longer_than_the_column_is_cut(client: Client, db: None) -> None:
    login = f"{'a' * 60}@{'b' * 60}.vn"
    client.force_login(User.objects.create_superuser(login, "a long password"))
    assert save(client, BrandingJobFactory(), status="PROCESSING").status_code == 302
    assert BrandingJob.objects.get().updated_by == login[:100]


def test_saves_of_people_and_groups_have_a_reason_too(back_office: Client) -> None:
    person, group = UserFactory(), Group.objects.create(name="Kế toán trưởng")
    assert save(back_office, person, full_name="Bùi Hà", reason=WHY).status_code == 302
    assert save(back_office, group, name="Thu ngân", reason=WHY).status_code == 302
    assert history_page(back_office, person) == [(["Đã sửa Họ và tên."], WHY)]
    assert history_page(back_office, group) == [(["Đã sửa Tên."], WHY)]
    password = {"password1": "một mật khẩu dài 9", "password2": "một mật khẩu dài 9"}
    url = reverse("admin:auth_user_password_change", args=[person.pk])
    answer = back_office.post(url, {**password, "usable_password": "true"})
    assert answer.status_code == 302, answer.context["form"].errors
    assert len(history_page(back_office, person)) == 2
    assert "mật khẩu dài" not in "".join(LogEntry.objects.values_list("change_message", flat=True))


def test_person_who_is_added_has_a_reason_too(back_office: Client) -> None:
    url = reverse("admin:kitehub_user_add")
    form = form_of(back_office.get(url)) | {"email": "ha@kitehub.test", "usable_password": "false"}
    answer = back_office.post(url, {**form, "reason": WHY})
    assert answer.status_code == 302, answer.context["adminform"].form.errors
    added = User.objects.get(email="ha@kitehub.test")
    assert history_page(back_office, added) == [(["Đã thêm."], WHY)]


def test_nobody_is_deleted_with_the_log_of_what_they_did(back_office: Client, staff: User) -> None:
    save(back_office, BrandingJobFactory(), status="PROCESSING")
    assert back_office.post(page_url(staff, "delete"), {"post": "yes"}).status_code == 403
    form = {"action": "delete_selected", "_selected_action": [staff.pk], "post": "yes"}
    back_office.post(reverse("admin:kitehub_user_changelist"), form)
    assert LogEntry.objects.filter(user=staff).count() == 1


def test_group_that_is_deleted_leaves_the_reason(back_office: Client) -> None:
    group = Group.objects.create(name="Kế toán trưởng")
    ask = back_office.get(page_url(group, "delete"))
    assert "Kế toán trưởng" in ask.content.decode()
    assert "có thể khôi phục" not in ask.content.decode()
    back_office.post(page_url(group, "delete"), {"post": "yes", "reason": WHY})
    assert not Group.objects.filter(name="Kế toán trưởng").exists()
    assert "theo y" in LogEntry.objects.get().change_message


def test_who_may_only_look_is_not_asked_why(client: Client, db: None) -> None:
    person = UserFactory(staff=True)
    person.user_permissions.set(Permission.objects.filter(codename="view_brandingjob"))
    client.force_login(person)
    job = BrandingJobFactory()
    page = client.get(page_url(job))
    assert page.status_code == 200
    assert 'name="reason"' not in page.content.decode()
    assert client.post(page_url(job), {"status": "PROCESSING", "reason": WHY}).status_code == 403


def test_queries_of_a_save(back_office: Client) -> None:
    job = BrandingJobFactory()
    form = form_of(back_office.get(page_url(job)))
    with CaptureQueriesContext(connection) as queries:
        back_office.post(page_url(job), {**form, "status": "PROCESSING", "reason": WHY})
    assert len(queries) == 18, "\n".join(each["sql"] for each in queries.captured_queries)


def test_message_names_no_password(back_office: Client) -> None:
    school = InstanceFactory(database_password="s3cret-of-the-silo")
    save(back_office, school, organization_name="Sao Mai")
    assert "s3cret" not in LogEntry.objects.get().change_message
    assert messages_of(back_office.get(page_url(school)))

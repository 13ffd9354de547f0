"""Nobody saves over a change that they have not seen."""

from datetime import UTC, datetime, timedelta

import pytest
from django.core import signing
from django.test import Client
from django.utils import timezone

from branding.models import BrandingJob
from kitehub.backoffice import stale
from kitehub.models import Instance, InstanceConfig
from tests.factories.billing import PaymentOrderFactory
from tests.factories.branding import BrandingJobFactory
from tests.factories.kitehub import InstanceConfigFactory, InstanceFactory
from tests.kitehub.backoffice.pages import form_of, opened, page_url, save, signed_in


@pytest.fixture
def minh(db: None) -> Client:
    return signed_in("minh@kitehub.test")


@pytest.fixture
def job(db: None) -> BrandingJob:
    return BrandingJobFactory(organization_name="Sao Mai")


def conflicts(page: object) -> dict[str, tuple[str, str, str | None]]:
    meanwhile = page.context["adminform"].form.meanwhile  # type: ignore[attr-defined]
    return {
        it.difference.label: (it.difference.before, it.difference.after, it.yours)
        for it in meanwhile.conflicts
    }


def test_second_of_two_saves_is_refused_and_says_what_happened(
    back_office: Client, minh: Client, job: BrandingJob
) -> None:
    form = opened(back_office, job)
    assert save(minh, job, organization_name="Hòa Ca", status="PROCESSING").status_code == 302
    page = save(back_office, job, form, organization_name="An Nhiên")
    assert page.status_code == 200
    job.refresh_from_db()
    assert (job.organization_name, job.updated_by) == ("Hòa Ca", "minh@kitehub.test")
    assert conflicts(page) == {
        "Tên trường học": ("Sao Mai", "Hòa Ca", "An Nhiên"),
        "Trạng thái": ("Đang chờ", "Đang xử lý", None),
    }
    text = page.content.decode()
    when = timezone.localtime(job.updated_at).strftime("%d/%m/%Y %H:%M")
    assert f"minh@kitehub.test đã thay đổi dữ liệu lúc {when}" in text
    assert "Vui lòng sửa lỗi bên dưới" not in text  # there is none below


def test_input_stays_and_what_was_left_alone_takes_over_the_change(
    back_office: Client, minh: Client, job: BrandingJob
) -> None:
    form = opened(back_office, job)
    save(minh, job, organization_name="Hòa Ca", status="PROCESSING")
    page = save(back_office, job, form, organization_name="An Nhiên", reason="đổi tên")
    again = form_of(page)
    assert (again["organization_name"], again["reason"]) == ("An Nhiên", "đổi tên")
    assert again["status"] == "PROCESSING"
    assert save(back_office, job, again).status_code == 302
    job.refresh_from_db()
    assert (job.organization_name, job.status) == ("An Nhiên", "PROCESSING")
    assert job.updated_by == "staff@kitehub.test"


def test_third_change_is_noticed_again(back_office: Client, minh: Client, job: BrandingJob) -> None:
    form = opened(back_office, job)
    save(minh, job, organization_name="Hòa Ca")
    again = form_of(save(back_office, job, form, organization_name="An Nhiên"))
    save(minh, job, organization_name="Bình Minh")
    page = save(back_office, job, again)
    assert conflicts(page) == {"Tên trường học": ("Hòa Ca", "Bình Minh", "An Nhiên")}


def test_several_changes_are_counted(back_office: Client, minh: Client, job: BrandingJob) -> None:
    form = opened(back_office, job)
    for name in ("Hòa Ca", "Bình Minh"):
        save(minh, job, organization_name=name)
    page = save(back_office, job, form, organization_name="An Nhiên")
    assert "đã bị thay đổi 2 lần, lần cuối bởi minh@kitehub.test" in page.content.decode()


def test_change_that_nobody_signed_is_not_laid_at_the_door_of_who_signed_before(
    back_office: Client, job: BrandingJob
) -> None:
    assert save(back_office, job, organization_name="Hòa Lạc").status_code == 302
    form = opened(back_office, job)
    BrandingJob.objects.update(organization_name="Hòa Ca")
    text = save(back_office, job, form, status="PROCESSING").content.decode()
    assert "đã bị thay đổi 1 lần, lần cuối lúc" in text
    assert "vẫn ghi tên staff@kitehub.test như trước" in text
    assert "staff@kitehub.test đã thay đổi" not in text


def test_change_of_a_row_that_names_nobody_names_nobody(
    back_office: Client, job: BrandingJob
) -> None:
    form = opened(back_office, job)
    BrandingJob.objects.update(organization_name="Hòa Ca")
    text = save(back_office, job, form, status="PROCESSING").content.decode()
    assert "đã bị thay đổi 1 lần, lần cuối lúc" in text
    assert "vẫn ghi tên" not in text


def test_english_page_says_it_in_english(
    back_office: Client, minh: Client, job: BrandingJob
) -> None:
    form = opened(back_office, job)
    save(minh, job, status="PROCESSING")
    back_office.cookies["django_language"] = "en"
    page = save(back_office, job, form, status="FAILED")
    assert conflicts(page) == {"Status": ("Waiting", "In progress", "Failed")}
    assert "minh@kitehub.test changed it at" in page.content.decode()


def test_times_are_told_in_local_time_and_told_apart(back_office: Client) -> None:
    start = datetime(2026, 11, 23, 18, 30, tzinfo=UTC)
    school = InstanceFactory(trial_started_at=start, trial_expires_at=start)
    form = opened(back_office, school)
    Instance.objects.update(
        trial_started_at=start + timedelta(seconds=5), trial_expires_at=start.replace(day=24)
    )
    page = save(back_office, school, form)
    assert conflicts(page) == {
        "Bắt đầu dùng thử": ("24/11/2026 01:30:00", "24/11/2026 01:30:05", None),
        "Hết hạn dùng thử": ("24/11/2026 01:30", "25/11/2026 01:30", None),
    }


def test_what_only_a_method_shows_is_compared_as_well(back_office: Client) -> None:
    page = back_office.get(page_url(PaymentOrderFactory()))
    shown = page.context["adminform"].form.shown
    assert {"amount", "order_id"} <= set(shown)


def test_reference_is_told_by_name(back_office: Client) -> None:
    job = BrandingJobFactory()
    before, after = job.instance.organization_name, InstanceFactory(organization_name="Hòa Ca")
    form = opened(back_office, job)
    type(job).objects.update(instance=after)
    assert conflicts(save(back_office, job, form)) == {"Trường học": (before, "Hòa Ca", None)}


def test_of_json_only_the_keys_that_differ_are_told(back_office: Client) -> None:
    config = InstanceConfigFactory(limitations={"maxStudents": 50, "maxCourses": 10})
    form = opened(back_office, config)
    InstanceConfig.objects.update(limitations={"maxStudents": 80, "maxCourses": 10})
    assert conflicts(save(back_office, config, form)) == {
        "Hạn mức": ('{"maxStudents": 50}', '{"maxStudents": 80}', None)
    }


def test_change_that_the_page_does_not_show_is_a_change(back_office: Client) -> None:
    school = InstanceFactory()
    form = opened(back_office, school)
    Instance.objects.update(database_username="hidden-role")
    page = save(back_office, school, form, organization_name="Sao Mai")
    assert conflicts(page) == {}
    assert "không thay đổi" in page.content.decode()
    assert "hidden-role" not in page.content.decode()


def test_snapshot_holds_nothing_that_the_page_does_not_show(back_office: Client) -> None:
    school = InstanceFactory(database_password="s3cret", database_username="role-name")
    told = stale.read(opened(back_office, school)["snapshot"], row=school).values
    assert not {"database_url", "database_username", "database_password"} & set(told)
    assert told["subdomain"] == school.subdomain


@pytest.mark.parametrize("kind", ["missing", "empty", "rubbish", "cut", "another row", "forged"])
def test_without_its_snapshot_a_form_is_not_saved(
    back_office: Client, job: BrandingJob, kind: str
) -> None:
    form = opened(back_office, job)
    right = form.pop("snapshot")
    forged = signing.dumps({"row": "x", "version": 99, "values": {}}, salt="another")
    wrong = {
        "empty": "",
        "rubbish": "\x00 :1:ü",
        "cut": right[:-1],
        "another row": opened(back_office, BrandingJobFactory())["snapshot"],
        "forged": forged,
    }
    if kind in wrong:
        form["snapshot"] = wrong[kind]
    page = save(back_office, job, form, organization_name="An Nhiên")
    assert "không xác định được trang này" in page.content.decode()
    job.refresh_from_db()
    assert job.organization_name == "Sao Mai"
    # The page now knows what it shows, and the input is still there.
    assert save(back_office, job, form_of(page)).status_code == 302
    job.refresh_from_db()
    assert job.organization_name == "An Nhiên"


def test_row_that_was_deleted_meanwhile_is_not_changed(
    back_office: Client, job: BrandingJob
) -> None:
    form = opened(back_office, job)
    job.delete()
    page = save(back_office, job, form, organization_name="An Nhiên")
    assert conflicts(page) == {"Đã xóa": ("Không", "Có", None)}
    again = form_of(page)
    assert again["organization_name"] == "An Nhiên"
    assert "Hãy khôi phục" in save(back_office, job, again).content.decode()
    job.refresh_from_db()
    assert job.organization_name == "Sao Mai"


def test_saving_an_untouched_page_changes_nothing(back_office: Client) -> None:
    odd = datetime(2026, 11, 23, 18, 30, 15, 123456, tzinfo=UTC)
    school = InstanceFactory(trial_started_at=odd)
    assert save(back_office, school).status_code == 302
    after = Instance.objects.get()
    assert (after.trial_started_at, after.version) == (odd, school.version)

"""The demo's schools: believable to a Vietnamese reader, and every kind of row is there."""

import unicodedata
from datetime import datetime, timedelta
from io import StringIO

import pytest
from django.core.management import call_command
from django.db.models import Case, F, Sum, When

from analytics.enums import DeviceType, GuestSource
from analytics.models import GuestEvent, GuestSession
from branding.enums import BrandingStatus
from branding.models import BrandingJob
from kitehub.demo.banks import BANKS
from kitehub.demo.moments import VIETNAM
from kitehub.demo.schools import SCHOOLS
from kitehub.enums import InstanceStatus, Tier
from kitehub.models import Instance, InstanceConfig, InstanceWatch, User
from kitehub.plans import PLANS
from storage.enums import StorageOperation
from storage.models import StorageEvent, StorageUsage
from tests.kitehub.demo.conftest import AT

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("demo")]


def test_it_prints_aligned_steps_and_a_sum(demo: list[str]) -> None:
    *steps, last = demo
    counts = {line[:22].strip(): int(line[22:].replace(",", "")) for line in steps}
    assert len({len(line) for line in steps}) == 1
    assert counts["Instances"] == Instance.all_objects.count() == len(SCHOOLS)
    assert counts["Guest events"] == 50_000
    assert last.startswith(f"{sum(counts.values()):,} rows in ")
    assert last.endswith(" as of 01/03/2026 21:30 Vietnamese time.")


@pytest.mark.parametrize("options", [[], ["--force"], ["--seed", "5"]])
def test_a_second_load_says_so_and_changes_nothing(demo: list[str], options: list[str]) -> None:
    before = StorageEvent.objects.count(), User.objects.count(), Instance.all_objects.count()
    printed = StringIO()
    call_command("demo", *options, stdout=printed)
    assert printed.getvalue() == "The demo is already there; nothing was changed.\n"
    after = StorageEvent.objects.count(), User.objects.count(), Instance.all_objects.count()
    assert after == before


def test_names_keep_their_vietnamese_letters_and_subdomains_have_none() -> None:
    names = Instance.objects.values_list("organization_name", flat=True)
    assert "Học viện Lập trình Dế Mèn Sài Gòn" in names
    assert {*"ượếđăọịổ"} <= set("".join(names).lower())
    for text in [*names, *User.objects.values_list("full_name", flat=True)]:
        assert text == unicodedata.normalize("NFC", text)
    for instance in Instance.all_objects.all():
        assert set(instance.subdomain) <= set("abcdefghijklmnopqrstuvwxyz-")


def test_mail_goes_nowhere_and_nobody_can_sign_in() -> None:
    for user in User.objects.all():
        assert user.email.endswith((".example", "@kitehub.test"))
        assert not user.has_usable_password()
    staff = User.objects.filter(is_staff=True)
    assert {user.groups.get().role.role for user in staff} == {"FINANCE", "SUPPORT", "OPERATOR"}


def test_bank_accounts_fit_their_bank() -> None:
    names = {bank.bin: bank for bank in BANKS}
    accounts = Instance.objects.exclude(bank_code=None)
    assert accounts.count() > 20
    for instance in accounts:
        bank = names[instance.bank_code or ""]
        assert instance.bank_name == bank.name
        assert len(instance.account_number or "") == bank.digits
        assert (instance.account_name or "").isascii()
        assert (instance.account_name or "").isupper()


def test_instances_are_in_all_tiers_and_states_over_half_a_year() -> None:
    everything = Instance.objects.all()
    assert {instance.tier for instance in everything} == set(Tier)
    assert {instance.status for instance in everything} == set(InstanceStatus)
    assert min(instance.created_at for instance in everything) < AT - timedelta(weeks=25)
    assert all(AT - timedelta(weeks=26) < instance.created_at < AT for instance in everything)


def test_configs_are_the_plans_but_for_a_few_that_staff_changed() -> None:
    exceptions = [
        config for config in InstanceConfig.objects.all() if config.features or config.limitations
    ]
    assert 3 <= len(exceptions) <= 8
    assert all((config.updated_by or "").endswith("@kitehub.test") for config in exceptions)


def test_a_few_rows_are_softly_deleted() -> None:
    for model in (Instance, InstanceConfig, BrandingJob):
        gone = model.all_objects.filter(deleted=True)
        assert gone.count() == 1
        assert gone.get().deleted_at <= AT


def test_the_dashboard_knows_whose_storage_is_nearly_full() -> None:
    assert InstanceWatch.objects.count() == Instance.objects.count()
    nearly = InstanceWatch.objects.filter(nearly_full=True).values("instance")
    assert nearly.exists()
    full = StorageUsage.objects.filter(used_bytes__gt=F("limit_bytes") * 0.9)
    assert set(nearly.values_list("instance", flat=True)) == {
        usage.instance_id
        for usage in full
        if Instance.objects.filter(pk=usage.instance_id).exists()
    }


def test_usage_is_the_sum_of_the_events() -> None:
    signed = Case(
        When(operation=StorageOperation.UPLOAD, then=F("file_size_bytes")),
        default=-F("file_size_bytes"),
    )
    sums = dict(StorageEvent.objects.values_list("instance_id").annotate(sum=Sum(signed)))
    deletions = StorageEvent.objects.filter(operation=StorageOperation.DELETE)
    assert deletions.count() > 20
    for usage in StorageUsage.objects.all():
        assert usage.used_bytes == sums.get(usage.instance_id, 0)
        events = StorageEvent.objects.of_instance(usage.instance_id).newest_first()
        if events:
            assert usage.last_updated == events[0].created_at <= AT


def test_storage_is_near_at_and_over_its_tiers_limit() -> None:
    tiers = dict(Instance.all_objects.values_list("pk", "tier"))
    usages = list(StorageUsage.objects.all())
    configured = set(InstanceConfig.objects.values_list("instance_id", flat=True))
    for row in usages:
        plan = PLANS[tiers[row.instance_id]]
        assert row.limit_bytes == (plan.storage_bytes if row.instance_id in configured else 0)
    used = [row.used_bytes / row.limit_bytes for row in usages if row.limit_bytes]
    assert sum(0.9 <= part < 1 for part in used) >= 3
    assert used.count(1) == 1
    assert sum(part > 1 for part in used) == 2
    # Who went back to BASIC keeps the files and may store none.
    basic = [row for row in usages if not row.limit_bytes and row.instance_id in configured]
    assert [row.used_bytes > 0 for row in basic].count(True) == 1


def test_jobs_in_each_state_have_what_belongs_to_it() -> None:
    assert set(BrandingJob.objects.values_list("status", flat=True)) == set(BrandingStatus)
    for job in BrandingJob.objects.all():
        assert (job.generated_assets is not None) == (job.status == BrandingStatus.COMPLETED)
        assert (job.error_message is not None) == (job.status == BrandingStatus.FAILED)
        assert (job.progress_percentage == 100) == (job.status == BrandingStatus.COMPLETED)
        assert job.status != BrandingStatus.PENDING or job.progress_percentage == 0
    assert BrandingJob.objects.filter(
        generated_assets__marketingCopy__slogan="Nói tự tin, đi muôn nơi"
    ).exists()


def local_times() -> list[datetime]:
    moments = GuestEvent.objects.values_list("timestamp", flat=True)
    return [moment.astimezone(VIETNAM) for moment in moments]


def test_guests_come_in_the_evening_at_weekends_and_more_each_month() -> None:
    times = local_times()
    by_hour = [sum(time.hour == hour for time in times) for hour in range(24)]
    assert sorted(sorted(range(24), key=by_hour.__getitem__)[-3:]) == [19, 20, 21]
    assert sum(by_hour[19:22]) > 10 * sum(by_hour[1:5])
    by_day = [sum(time.weekday() == day for time in times) for day in range(7)]
    assert min(by_day[5:]) > max(by_day[:5])
    ages = [(AT - time).days // 30 for time in times]
    months = [ages.count(age) for age in reversed(range(6))]
    assert months == sorted(months)


def test_events_belong_to_a_session_of_their_school_and_follow_its_start() -> None:
    sessions = {session.session_id: session for session in GuestSession.objects.all()}
    assert 11_000 < len(sessions) < 13_000
    seen = set()
    for event in GuestEvent.objects.order_by("timestamp"):
        session = sessions[event.session_id]
        assert event.instance_id == session.instance_id
        assert session.created_at <= event.timestamp <= AT
        assert (event.course_id is None) == (event.course_name is None)
        seen.add(event.session_id)
    assert seen == set(sessions)


def test_guests_have_every_source_and_device_and_nobodys_address() -> None:
    rows = GuestSession.objects.values_list("source", "device_type", "ip_address")
    assert {source for source, _, _ in rows} == set(GuestSource)
    assert {device for _, device, _ in rows} == set(DeviceType)
    networks = ("192.0.2.", "198.51.100.", "203.0.113.")
    assert all((address or "").startswith(networks) for _, _, address in rows)

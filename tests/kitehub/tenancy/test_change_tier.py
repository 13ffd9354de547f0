"""A tier change: the platform at once, the school's own database by a job."""

from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, connections, transaction

from billing.enums import SubscriptionStatus
from billing.models import Subscription, SubscriptionHistory
from billing.services import SubscriptionEnded
from kitehub import tenancy, workflows
from kitehub.enums import Tier
from kitehub.jobs.models import JobFailure
from kitehub.jobs.retries import UNTIL_DONE
from kitehub.models import Instance, InstanceConfig
from kitehub.plans import PLANS
from storage.models import StorageUsage
from tests.factories.billing import SubscriptionFactory
from tests.factories.kitehub import InstanceConfigFactory, InstanceFactory
from tests.kitehub.jobs.working import jobs, run_due, states

TASK = "kitehub.tasks.apply_tier"


def change(school: Instance, tier: Tier, reason: str = "bought") -> Instance:
    return workflows.change_tier(instance=school, tier=tier, actor="lan", reason=reason)


def config_of(school: Instance) -> InstanceConfig:
    with tenancy.use(school):
        return InstanceConfig.objects.get()


def due_now() -> None:
    """Waits for no backoff."""
    with connection.cursor() as cursor:
        cursor.execute("UPDATE procrastinate_jobs SET scheduled_at = now() WHERE status = 'todo'")


@pytest.fixture
def school(transactional_db: None) -> Instance:
    school = InstanceFactory()
    InstanceConfigFactory(instance_id=school.id)
    SubscriptionFactory(instance=school)
    return school


def test_the_platform_changes_at_once_and_the_config_with_the_job(school: Instance) -> None:
    assert change(school, Tier.PREMIUM).tier == Tier.PREMIUM
    subscription = Subscription.objects.get()
    assert (subscription.tier, subscription.monthly_price) == ("PREMIUM", 1_299_000)
    last = SubscriptionHistory.objects.order_by("changed_at").last()
    assert last is not None
    assert (last.tier, last.changed_by, last.change_reason) == ("PREMIUM", "lan", "bought")
    assert config_of(school).tier == "BASIC"

    run_due()

    config = config_of(school)
    assert (config.tier, config.updated_by) == ("PREMIUM", "lan")
    assert StorageUsage.objects.get().limit_bytes == PLANS[Tier.PREMIUM].storage_bytes
    assert jobs() == [(TASK, "succeeded", 1)]


def test_a_rollback_leaves_nothing_changed_and_no_job(school: Instance) -> None:
    with transaction.atomic():
        change(school, Tier.PREMIUM)
        transaction.set_rollback(True)
    assert Instance.objects.get().tier == Subscription.objects.get().tier == "BASIC"
    assert jobs() == []


def test_the_job_goes_by_what_the_platform_says_when_it_runs(school: Instance) -> None:
    change(school, Tier.PREMIUM)
    change(school, Tier.STANDARD)
    before = config_of(school).version
    run_due()
    assert states(TASK) == ["succeeded", "succeeded"]
    assert config_of(school).tier == "STANDARD"
    assert config_of(school).version == before + 1, "PREMIUM was never there"


def test_the_same_tier_again_keeps_an_agreed_price_and_tells_the_database(school: Instance) -> None:
    Subscription.objects.update(monthly_price=250_000)
    InstanceConfig.objects.update(tier="PREMIUM")
    change(school, Tier.BASIC)
    run_due()
    assert Subscription.objects.get().monthly_price == 250_000
    assert config_of(school).tier == "BASIC"


def test_state_and_period_of_a_subscription_stay(school: Instance) -> None:
    Subscription.objects.update(status=SubscriptionStatus.PAST_DUE.value)
    before = Subscription.objects.get()
    change(school, Tier.STANDARD)
    after = Subscription.objects.get()
    assert (after.status, after.current_period_end) == ("PAST_DUE", before.current_period_end)


@pytest.mark.parametrize(
    ("status", "left", "refused"),
    [("CANCELED", 1, False), ("CANCELED", 0, True), ("EXPIRED", 1, True), ("TRIAL", 0, False)],
)
def test_what_has_ended_has_no_terms_to_change(
    status: str, left: int, refused: bool, school: Instance
) -> None:
    if status == "TRIAL":
        school = InstanceFactory()
        subscription = SubscriptionFactory(instance=school, status=status)
    else:
        Subscription.objects.update(status=status)
        subscription = Subscription.objects.get()
    at = subscription.current_period_end - timedelta(days=left)
    terms = {"instance": school, "tier": Tier.PREMIUM, "actor": "lan", "reason": "", "at": at}
    if refused:
        with pytest.raises(SubscriptionEnded):
            workflows.change_tier(**terms)
        assert Instance.objects.get(pk=school.pk).tier == "BASIC"
        assert jobs() == []
    else:
        assert workflows.change_tier(**terms).tier == "PREMIUM"
        subscription.refresh_from_db()
        assert (subscription.status, subscription.tier) == (status, "PREMIUM")


def test_a_school_without_subscription_or_config_gets_its_tier(transactional_db: None) -> None:
    school = InstanceFactory()
    change(school, Tier.STANDARD)
    run_due()
    config = config_of(school)
    assert (config.tier, config.created_by) == ("STANDARD", "lan")


def test_a_deleted_school_is_refused_and_its_job_ends_in_peace(
    school: Instance, caplog: pytest.LogCaptureFixture
) -> None:
    change(school, Tier.PREMIUM)
    Instance.objects.all().delete()
    with pytest.raises(workflows.InstanceGone):
        change(school, Tier.STANDARD)
    run_due()
    assert states(TASK) == ["succeeded"]
    assert config_of(school).tier == "BASIC"
    assert f"Instance {school.id} is deleted" in caplog.text


class TestSilo:
    @pytest.fixture
    def apart(self, silo: Instance) -> Instance:
        with tenancy.use(silo):
            InstanceConfigFactory(instance_id=silo.id)
        return silo

    def test_the_config_in_the_silo_follows(self, apart: Instance) -> None:
        change(apart, Tier.STANDARD)
        run_due()
        assert config_of(apart).tier == "STANDARD"
        assert InstanceConfig.objects.count() == 0, "nothing of it in the pool"

    def test_an_unreachable_silo_gets_it_when_it_is_back(self, apart: Instance) -> None:
        alias, name = tenancy.alias_of(apart), tenancy.database_of(apart)

        def rename(old: str, new: str) -> None:
            connections[alias].close()
            with connection._nodb_cursor() as cursor:
                cursor.execute(f"ALTER DATABASE {old} RENAME TO {new}")

        rename(name, f"{name}_away")
        try:
            change(apart, Tier.STANDARD)
            for attempts in (1, 2):
                run_due()
                assert jobs() == [(TASK, "todo", attempts)]
                due_now()
            assert "OperationalError" in JobFailure.objects.get().error
        finally:
            rename(f"{name}_away", name)
        run_due()
        assert jobs() == [(TASK, "succeeded", 3)]
        assert config_of(apart).tier == "STANDARD"


def test_it_is_tried_again_for_ever_and_at_most_every_five_minutes() -> None:
    waits = [UNTIL_DONE.wait(attempts).total_seconds() for attempts in range(9)]
    assert waits == [2, 4, 8, 16, 32, 64, 128, 256, 300]
    assert UNTIL_DONE.wait(10**6).total_seconds() == 300


class TestCommand:
    def test_it_says_from_what_to_what(
        self, school: Instance, capsys: pytest.CaptureFixture[str]
    ) -> None:
        call_command("change_tier", school.subdomain, "premium", "--reason", "asked by phone")
        assert capsys.readouterr().out.startswith(f"{school.subdomain}: BASIC -> PREMIUM.")
        last = SubscriptionHistory.objects.order_by("changed_at").last()
        assert last is not None
        assert (last.changed_by, last.change_reason) == (
            "manage.py change_tier",
            "asked by phone",
        )

    @pytest.mark.parametrize(
        ("subdomain", "reason", "said"),
        [("nowhere", "why", "There is no instance nowhere"), ("", "w" * 501, "at most 500")],
    )
    def test_bad_input_is_a_line(
        self, subdomain: str, reason: str, said: str, school: Instance
    ) -> None:
        with pytest.raises(CommandError, match=said):
            call_command("change_tier", subdomain or school.subdomain, "BASIC", "--reason", reason)

    def test_an_ended_subscription_is_a_line(self, school: Instance) -> None:
        Subscription.objects.update(status="EXPIRED")
        with pytest.raises(CommandError, match="has ended; renew it"):
            call_command("change_tier", school.subdomain, "PREMIUM", "--reason", "x")

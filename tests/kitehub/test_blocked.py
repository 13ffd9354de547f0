"""Why a school is blocked: each cause from its facts, and the page that says so."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from django.utils import timezone

from billing.dunning import Silence
from billing.enums import SubscriptionStatus
from kitehub import tenancy
from kitehub.admin.blocked.causes import (
    Cause,
    Closing,
    Effect,
    Facts,
    Kind,
    Terms,
    causes,
    next_change,
    worst,
)
from kitehub.admin.blocked.words import SAID
from kitehub.admin.levers.suspending import RESUME, SUSPEND
from kitehub.db.gates import GateReason
from kitehub.entitlements import Entitlement
from kitehub.enums import EntitlementReason, EntitlementSource, InstanceStatus, MoveStep, Tier
from kitehub.models import Instance, InstanceConfig
from kitehub.moving.suspension import enforce
from kitehub.plans import GIB, STORAGE
from kitehub.tenancy import gates
from kitehub.workflows import suspend, watch_instances
from tests.factories.billing import (
    PaymentOrderFactory,
    SubscriptionAdjustmentFactory,
    SubscriptionFactory,
)
from tests.factories.kitehub import ApiKeyFactory, InstanceFactory, TombstoneFactory, UserFactory
from tests.kitehub.backoffice.pages import page_url

NOW = timezone.now()
DAY = timedelta(days=1)
PAID = Terms(status=SubscriptionStatus.ACTIVE, period_end=NOW + 9 * DAY)
FINE = Facts(status=InstanceStatus.ACTIVE, terms=PAID)


def due(days: float) -> Terms:
    """Terms whose paid time ended so many days ago."""
    return Terms(status=SubscriptionStatus.PAST_DUE, period_end=NOW - days * DAY)


def trial(end: Any, status: SubscriptionStatus = SubscriptionStatus.TRIAL) -> Terms:
    return Terms(status=status, period_end=end, trial_end=end, tried=True)


def canceled(end: Any) -> Terms:
    return Terms(status=SubscriptionStatus.CANCELED, period_end=end)


def feature(name: str, access: bool, reason: str, **more: Any) -> dict[str, Entitlement]:
    said = {"limit": 0 if not access else None, "used": None, **more}
    return {
        name: Entitlement(
            access=access, reason=EntitlementReason(reason), source=EntitlementSource.TIER, **said
        )
    }


CLOSED, READ_ONLY, LIMITED, NOTE = (
    Effect.CLOSED,
    Effect.READ_ONLY,
    Effect.LIMITED,
    Effect.NOTE,
)
SOON, LATER = NOW + DAY, NOW + 30 * DAY
# The facts beside FINE, the cause, what it does, and when that changes by itself.
TABLE: list[tuple[dict[str, Any], Kind, Effect, Any]] = [
    ({"deleted": True}, Kind.DELETED, CLOSED, None),
    ({"deleted": True, "closing": Closing(due=LATER)}, Kind.CLOSING, CLOSED, LATER),
    (
        {"deleted": True, "closing": Closing(due=NOW, erasing=True)},
        Kind.DATA_GOING,
        CLOSED,
        None,
    ),
    (
        {"deleted": True, "closing": Closing(due=NOW, erasing=True, dropped=True)},
        Kind.DATA_GONE,
        CLOSED,
        None,
    ),
    ({"status": InstanceStatus.CLOSED}, Kind.CLOSED_BY_HAND, CLOSED, None),
    ({"status": InstanceStatus.SUSPENDED, "suspended": True}, Kind.SUSPENDED, CLOSED, None),
    ({"status": InstanceStatus.SUSPENDED}, Kind.SUSPENDED, CLOSED, None),
    ({"reachable": False}, Kind.UNREACHABLE, CLOSED, None),
    ({"whole": False}, Kind.UNFINISHED, LIMITED, None),
    ({"gates": {GateReason.MOVING: SOON}, "move": MoveStep.COPIED}, Kind.MOVING, READ_ONLY, SOON),
    (
        {"gates": {GateReason.MOVING: NOW}, "move": MoveStep.COPIED},
        Kind.MOVE_UNFINISHED,
        NOTE,
        None,
    ),
    ({"move": MoveStep.PLANNED, "gates": {}}, Kind.MOVE_UNFINISHED, NOTE, None),
    ({"gates": {GateReason.MOVED: None}}, Kind.GATE_MOVED, READ_ONLY, None),
    ({"gates": {GateReason.SUSPENDED: None}}, Kind.GATE_SUSPENDED, READ_ONLY, None),
    ({"terms": None}, Kind.NO_SUBSCRIPTION, CLOSED, None),
    ({"terms": replace(PAID, paused=True, pause_ends=SOON)}, Kind.PAUSED, CLOSED, SOON),
    ({"terms": trial(SOON)}, Kind.TRIAL, NOTE, SOON),
    ({"terms": trial(NOW)}, Kind.TRIAL_ENDED, CLOSED, None),
    ({"terms": trial(NOW, SubscriptionStatus.ACTIVE)}, Kind.TRIAL_ENDED, CLOSED, None),
    ({"terms": trial(NOW, SubscriptionStatus.EXPIRED)}, Kind.TRIAL_ENDED, CLOSED, None),
    ({"terms": due(1)}, Kind.WARNED, NOTE, NOW + 2 * DAY),
    ({"terms": due(4)}, Kind.BLOCKED, READ_ONLY, NOW + 3 * DAY),
    ({"terms": due(8)}, Kind.GRACE_OVER, CLOSED, None),
    (
        {"terms": due(8), "silences": [Silence(NOW - 7 * DAY, NOW - 5 * DAY)]},
        Kind.BLOCKED,
        READ_ONLY,
        NOW + DAY,
    ),
    ({"terms": replace(due(1), status=SubscriptionStatus.EXPIRED)}, Kind.EXPIRED, CLOSED, None),
    ({"terms": canceled(SOON)}, Kind.CANCELED, NOTE, SOON),
    ({"terms": canceled(NOW)}, Kind.CANCELED_OVER, CLOSED, None),
    (
        {"features": feature(STORAGE, True, "TIER", limit=GIB, used=GIB)},
        Kind.STORAGE_FULL,
        LIMITED,
        None,
    ),
    ({"features": feature("media", False, "TIER")}, Kind.TIER_LIMITS, LIMITED, None),
    ({"features": feature("media", False, "OVERRIDE")}, Kind.EXCEPTION, LIMITED, None),
    ({"live_keys": 0}, Kind.NO_LIVE_KEY, LIMITED, None),
]


@pytest.mark.parametrize(("facts", "kind", "effect", "next_at"), TABLE)
def test_each_cause_follows_from_its_facts(
    facts: dict[str, Any], kind: Kind, effect: Effect, next_at: Any
) -> None:
    found = causes(replace(FINE, **facts), at=NOW)
    assert found == [Cause(kind=kind, effect=effect, next_at=next_at)]


def test_every_cause_is_tried_and_has_words() -> None:
    assert {kind for _facts, kind, _effect, _next in TABLE} == set(Kind) == set(SAID)


def test_nothing_blocks_a_school_that_pays() -> None:
    many = feature(STORAGE, True, "TIER", limit=GIB, used=GIB - 1)
    facts = replace(FINE, features=many | feature("media", True, "TRIAL"))
    assert causes(facts, at=NOW) == []
    assert (worst([]), next_change([])) == (Effect.NOTE, None)


def test_all_causes_are_told_the_worst_first_and_the_first_change_is_found() -> None:
    facts = replace(
        FINE, status=InstanceStatus.SUSPENDED, terms=due(4), gates={GateReason.MOVING: SOON}
    )
    found = causes(facts, at=NOW)
    assert [cause.kind for cause in found] == [Kind.SUSPENDED, Kind.MOVING, Kind.BLOCKED]
    assert worst(found) == Effect.CLOSED
    first = next_change(found)
    assert first
    assert first.kind == Kind.MOVING


def test_what_is_blocked_already_is_no_news() -> None:
    ending = replace(FINE, terms=canceled(SOON))
    last = next_change(causes(ending, at=NOW))
    assert last
    assert last.kind == Kind.CANCELED
    assert next_change(causes(replace(ending, suspended=True), at=NOW)) is None
    assert next_change(causes(replace(FINE, suspended=True, terms=due(1)), at=NOW)) is None


# --- The page -----------------------------------------------------------------------------------


def whole(**said: Any) -> Instance:
    school = InstanceFactory(tier=Tier.PREMIUM, **said)
    with tenancy.use(school):
        InstanceConfig.objects.create(tier=Tier.PREMIUM)
    ApiKeyFactory(instance=school)
    return school


def told(client: Client, school: Instance) -> Any:
    page = client.get(page_url(school, "why"))
    assert page.status_code == 200
    return page


def titles(page: Any) -> list[str]:
    return [cause.title for cause in page.context["causes"]]


def test_page_of_a_suspended_and_unpaid_school_has_all_of_it(
    transactional_db: None, back_office: Client
) -> None:
    school = whole()
    end = timezone.now() - 4 * DAY
    paid = SubscriptionFactory(
        instance=school,
        status=SubscriptionStatus.PAST_DUE,
        current_period_start=end - 30 * DAY,
        current_period_end=end,
    )
    order = PaymentOrderFactory(instance=school)
    suspend(instance_id=school.pk, reason="nợ phí", actor="lan@kitehub.vn")
    page = told(back_office, school)
    assert titles(page) == [
        "Trường đang bị tạm ngưng",
        "Gói đăng ký quá hạn, đã khóa thay đổi",
    ]
    for word in ("nợ phí", "lan@kitehub.vn", order.order_id, "Bị khóa"):
        assert word in page.text
    links = {address for cause in page.context["causes"] for _words, address in cause.links}
    assert links == {page_url(school), page_url(paid), page_url(order)}
    for address in links:
        assert back_office.get(address).status_code == 200
    back_office.cookies["django_language"] = "en"
    assert "The school is suspended" in told(back_office, school).text


@pytest.mark.django_db
def test_page_of_a_school_in_order_says_that_nothing_blocks_it(back_office: Client) -> None:
    school = whole()
    paid = SubscriptionFactory(instance=school, tier=Tier.PREMIUM)
    watch_instances()
    page = told(back_office, school)
    assert back_office.get(page_url(paid, "why")).url == page_url(school, "why")
    assert titles(page) == []
    assert "Không bị khóa." in page.text
    assert "Khóa học" in page.text
    assert page_url(school, "why") in back_office.get(page_url(school)).text


@pytest.mark.django_db
def test_page_of_a_suspended_school_agrees_with_the_dialog_and_tells_no_old_news(
    back_office: Client,
) -> None:
    school = whole()
    SubscriptionFactory(instance=school, status=SubscriptionStatus.CANCELED)
    page = told(back_office, school)
    assert (page.context["title"], page.context["verdict"]) == (
        "Trường dùng được gì?",
        "Không bị khóa.",
    )
    assert "khóa toàn bộ" in page.context["next"]
    suspend(instance_id=school.pk, reason="nợ phí", actor="lan@kitehub.vn")
    page = told(back_office, school)
    assert page.context["title"] == "Vì sao bị khóa?"
    assert "vẫn đọc được" in page.context["verdict"]
    assert "vẫn đọc được" in back_office.get(page_url(school, "suspend_one")).text
    assert page.context["next"] == "Không có gì tự thay đổi: phải có người xử lý."
    assert not any(cause.next for cause in page.context["causes"])


@pytest.mark.django_db
def test_page_of_a_closed_school_says_when_its_data_goes_and_reads_no_database(
    back_office: Client,
) -> None:
    school = whole()
    TombstoneFactory(instance=school, reason="chuyển hệ thống")
    school.delete()
    Instance.all_objects.filter(pk=school.pk).update(database_url="postgres:///kitehub_nowhere")
    page = told(back_office, school)
    assert titles(page)[0] == "Trường đã đóng"
    assert "chuyển hệ thống" in page.text
    assert "dữ liệu bị xóa hẳn" in page.context["next"]


@pytest.mark.django_db
def test_page_of_a_paused_school_that_is_away_says_both(back_office: Client) -> None:
    school = whole()
    pause = SubscriptionAdjustmentFactory(
        subscription=SubscriptionFactory(instance=school), kind="PAUSE", days=None
    )
    away = {"database_url": "postgres:///kitehub_nowhere", "database_username": ""}
    Instance.objects.filter(pk=school.pk).update(**away)
    page = told(back_office, school)
    assert set(titles(page)) == {
        "Không kết nối được cơ sở dữ liệu của trường",
        "Gói đăng ký đang tạm dừng",
    }
    assert "kitehub_nowhere" in page.text
    assert pause.reason in page.text


@pytest.mark.django_db
def test_page_finds_gates_that_were_left_behind(back_office: Client) -> None:
    school = whole()
    SubscriptionFactory(instance=school, tier=Tier.PREMIUM)
    gates.close(tenancy.POOL, school.pk, GateReason.SUSPENDED)
    assert titles(told(back_office, school)) == [
        "Cơ sở dữ liệu vẫn từ chối ghi dù trường không bị tạm ngưng"
    ]


@pytest.mark.django_db
def test_page_of_a_school_that_no_lever_closed_asks_for_none(back_office: Client) -> None:
    school = whole()
    SubscriptionFactory(instance=school)
    Instance.objects.filter(pk=school.pk).update(status=InstanceStatus.CLOSED)
    page = told(back_office, school)
    (helps,) = [cause.helps for cause in page.context["causes"] if cause.effect == "Khóa toàn bộ"]
    assert "manage.py shell" in helps
    form = back_office.get(page_url(school)).context["adminform"].form
    assert "status" not in form.fields, "nobody sets it there"


def offered(client: Client, school: Instance) -> set[str]:
    """The last parts of the addresses of what the school's page offers."""
    found = client.get(page_url(school)).context["actions_detail"]
    every = [item for each in found for item in each.get("items", [each])]
    return {str(each["path"]).rstrip("/").rpartition("/")[2] for each in every}


@pytest.mark.django_db
@pytest.mark.parametrize("suspended", [False, True])
def test_page_offers_a_second_try_as_long_as_the_database_says_something_else(
    back_office: Client, suspended: bool, django_capture_on_commit_callbacks: Any
) -> None:
    school = whole()
    if suspended:
        suspend(instance_id=school.pk, reason="nợ phí", actor="lan@kitehub.test")
    usual, again = (RESUME, SUSPEND) if suspended else (SUSPEND, RESUME)
    both = {usual, again}
    enforce(school.pk)
    assert offered(back_office, school) & both == {usual}
    if suspended:
        gates.reopen(tenancy.POOL, school.pk, GateReason.SUSPENDED)
    else:
        gates.close(tenancy.POOL, school.pk, GateReason.SUSPENDED)
    assert offered(back_office, school) & both == both
    answer = {"reason": "làm lại", "_form_submitted": "True", "retyped": school.subdomain}
    with django_capture_on_commit_callbacks(execute=True):
        back_office.post(page_url(school, f"{again}_one"), answer)
    assert (GateReason.SUSPENDED in gates.reasons(tenancy.POOL, school.pk)) == suspended
    assert offered(back_office, school) & both == {usual}
    # Nobody knows what a database says that is away.
    away = {"database_url": "postgres:///kitehub_nowhere", "database_username": ""}
    Instance.objects.filter(pk=school.pk).update(**away)
    assert offered(back_office, school) & both == both


@pytest.mark.django_db
def test_only_who_may_see_schools_is_told(client: Client) -> None:
    school, clerk = whole(), UserFactory(is_staff=True)
    client.force_login(clerk)
    assert client.get(page_url(school, "why")).status_code == 403
    clerk.user_permissions.add(Permission.objects.get(codename="view_instance"))
    assert client.get(page_url(school, "why")).status_code == 200
    rubbish = page_url(school, "why").replace(str(school.pk), "rubbish")
    assert client.get(rubbish).status_code == 404

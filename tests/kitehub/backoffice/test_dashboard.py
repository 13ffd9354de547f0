"""The first page: what staff see at nine in the morning, each only what they may."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.db import connection
from django.http import HttpResponse
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone, translation

from billing.enums import Measure
from billing.models import DailyFigure, Subscription
from billing.services.figures import Change
from kitehub.admin.dashboard import charts, tiles
from kitehub.admin.dashboard import queues as queues_module
from kitehub.admin.dashboard.figures import Days, Figures, month_ends
from kitehub.admin.dashboard.queues import Queue
from kitehub.enums import Tier
from kitehub.models import User
from tests.explain import serves
from tests.factories.billing import PaymentOrderFactory, SubscriptionFactory
from tests.factories.kitehub import UserFactory

TODAY = date(2026, 11, 26)
NOW = datetime(2026, 11, 26, 2, tzinfo=UTC)  # nine in the morning in Vietnam
INDEX = "admin:index"


def on(days_ago: int, measure: Measure, amount: int, quantity: int = 1, **more: Any) -> Change:
    day = TODAY - timedelta(days=days_ago)
    return Change(
        **({"day": day, "tier": Tier.BASIC} | more),
        measure=measure,
        amount=amount,
        quantity=quantity,
    )


def shown(found: list[Change], title: str) -> tiles.Tile:
    figures = Figures(found)
    every = [
        *tiles.money_tiles(figures, today=TODAY),
        *tiles.subscription_tiles(figures, now=NOW, today=TODAY, of_money=True),
    ]
    (one,) = [tile for tile in every if tile.title == title]
    return one


# --- What the tiles say -------------------------------------------------------------------------


@pytest.fixture
def english(db: None) -> Any:
    with translation.override("en"):
        yield


@pytest.mark.usefixtures("english")
def test_revenue_is_of_whole_days_less_what_was_sent_back() -> None:
    found = [
        on(0, Measure.REVENUE, 500),
        on(1, Measure.REVENUE, 1000, 2),
        on(1, Measure.REFUNDS, 400),
        on(7, Measure.REVENUE, 600),
        on(8, Measure.REVENUE, 800),  # of the seven days before
        on(15, Measure.REVENUE, 99_999),
        on(1, Measure.COURSE_FEES, 7000),
    ]
    today = shown(found, "Revenue today")
    assert (today.value, today.note) == ("500\xa0₫", "Yesterday: 600\xa0₫")
    week = shown(found, "Revenue of the last 7 days")
    assert (week.value, week.note) == ("1,200\xa0₫", "3 paid orders")
    assert week.trend
    assert (week.trend.text, week.trend.way, week.trend.welcome) == ("50.0%", "up", True)
    assert "paid_at_from=2026-11-19&paid_at_to=2026-11-25" in week.address
    month = shown(found, "Revenue of the last 30 days")
    assert (month.value, month.trend) == ("101,999\xa0₫", None), "nothing to compare with"
    assert shown(found, "Course fees of the last 30 days").value == "7,000\xa0₫"


@pytest.mark.usefixtures("english")
def test_what_holds_is_the_sum_of_all_changes() -> None:
    found = [
        on(0, Measure.MRR, 1000, 4, day=None),
        on(0, Measure.MRR, 300, 1, day=None, tier=Tier.PREMIUM),
        on(31, Measure.MRR, 700),
        on(3, Measure.MRR, -1000, -1),
        on(2, Measure.PAST_DUE, 300),
        on(2, Measure.TRIALS, 299, 9),
    ]
    recurring = shown(found, "Monthly recurring revenue")
    assert (recurring.value, recurring.note) == ("1,000\xa0₫", "5 schools pay")
    assert recurring.trend
    assert (recurring.trend.text, recurring.trend.way) == ("50.0%", "down")
    assert not recurring.trend.welcome
    due = shown(found, "Past due")
    assert (due.value, due.note) == ("1", "300\xa0₫ a month")
    assert shown(found, "Trials that end within 7 days").note == "of 9 that run"


@pytest.mark.usefixtures("english")
def test_conversion_and_churn_are_of_thirty_whole_days() -> None:
    found = [
        on(0, Measure.TRIALS_CONVERTED, 1, 50),  # today is not over
        on(1, Measure.TRIALS_CONVERTED, 1, 3),
        on(30, Measure.TRIALS_LOST, 1, 5),
        on(31, Measure.TRIALS_CONVERTED, 1, 1),
        on(60, Measure.TRIALS_LOST, 1, 1),
        on(0, Measure.MRR, 40_000, 40, day=None),
        on(5, Measure.MRR, 9000, 9),
        on(5, Measure.CHURNED, 2000, 2),
        on(4, Measure.CHURNED, -1000, -1),
    ]
    conversion = shown(found, "Trials that pay")
    assert (conversion.value, conversion.note) == ("37.5%", "3 of 8 trials that ended")
    assert conversion.trend
    assert (conversion.trend.text, conversion.trend.way) == ("12.5 points", "down")
    assert not conversion.trend.welcome
    churn = shown(found, "Churn")
    assert (churn.value, churn.note) == ("2.3%", "1 school, 1,000\xa0₫ a month"), "of 40 and 3"
    assert churn.trend
    assert (churn.trend.way, churn.trend.welcome) == ("up", False)


@pytest.mark.usefixtures("english")
def test_churn_is_of_all_that_paid_at_any_time_of_these_days() -> None:
    found = [
        on(60, Measure.MRR, 200, 2),
        on(29, Measure.STARTED, 500, 4),
        on(20, Measure.TRIALS_CONVERTED, 500, 5),
        on(19, Measure.RETURNED, 100, 1),
        on(20, Measure.MRR, 1000, 10),
        on(5, Measure.CHURNED, 500, 6),
        on(5, Measure.MRR, -600, -6),
    ]
    assert shown(found, "Churn").value == "50.0%", "6 of 2 + 10"
    # All of them leave, none of whom was there at first.
    joined = [on(20, Measure.STARTED, 100, 1), on(20, Measure.MRR, 100, 1)]
    left = [on(5, Measure.CHURNED, 100, 1), on(5, Measure.MRR, -100, -1)]
    assert shown([*joined, *left], "Churn").value == "100.0%"


@pytest.mark.usefixtures("english")
def test_a_business_without_figures_is_no_error() -> None:
    for tile in (*tiles.money_tiles(Figures([]), today=TODAY), *subscription_tiles()):
        assert tile.trend is None
        assert tile.value in {"0\xa0₫", "0", "–"}
    assert charts.revenue_chart(Figures([]), today=TODAY).scale[0] == "1 million ₫"
    assert charts.funnel(Figures([]), today=TODAY).stages[0].count == "0"


def subscription_tiles() -> list[tiles.Tile]:
    return tiles.subscription_tiles(Figures([]), now=NOW, today=TODAY, of_money=True)


@pytest.mark.django_db
def test_trials_that_end_within_a_week_are_found_by_an_index() -> None:
    for days in (-1, 0, 7, 8):
        end = NOW + timedelta(days=days, hours=14)  # eleven in the evening
        SubscriptionFactory(status="TRIAL", trial_end=end, current_period_end=end)
    SubscriptionFactory(current_period_end=NOW + timedelta(days=1))
    assert tiles.trials_ending(NOW).count() == 2
    assert serves("idx_subscriptions_trials", tiles.trials_ending(NOW))


# --- Charts -------------------------------------------------------------------------------------


def test_bars_stand_on_zero_and_fit_in_whatever_the_days_bring() -> None:
    found = [on(0, Measure.REVENUE, 1_500_000), on(1, Measure.REFUNDS, 700_000)]
    with translation.override("vi"):
        chart = charts.revenue_chart(Figures(found), today=TODAY)
    assert chart.scale == ["2 triệu ₫", "500.000\xa0₫", "-1 triệu ₫"]
    *_, refunded, today = chart.bars
    assert (today.colour, today.y, today.height) == ("today", "16.67", "50.00")
    assert (refunded.y, refunded.height) == (chart.zero, "23.33")
    assert all("," not in bar.x + bar.y + bar.height for bar in chart.bars)
    assert chart.rows[-1] == ("26/11/2026", "1.500.000\xa0₫")
    assert len(chart.bars) == len(chart.rows) == 30


def test_recurring_revenue_stacks_the_tiers_at_the_end_of_each_month() -> None:
    assert month_ends(date(2026, 3, 31))[-3:] == [
        date(2026, 1, 31),
        date(2026, 2, 28),
        date(2026, 3, 31),
    ]
    found = [
        on(0, Measure.MRR, 100, day=None),
        on(0, Measure.MRR, 300, day=date(2026, 10, 31), tier=Tier.PREMIUM),
        on(0, Measure.MRR, -100, day=date(2026, 11, 1)),
    ]
    chart = charts.recurring_chart(Figures(found), today=TODAY)
    assert [row[0] for row in chart.rows][::11] == ["12/2025", "11/2026"]
    assert [row[-1] for row in chart.rows[-3:]] == ["100\xa0₫", "400\xa0₫", "300\xa0₫"]
    basic, _standard, premium = chart.bars[-6:-3]
    assert (basic.y, premium.y, premium.height) == ("80.00", "20.00", "60.00")


def test_days_count_both_ends() -> None:
    days = Days.up_to(TODAY, 7)
    assert (len(days), len(list(days)), days.first) == (7, 7, date(2026, 11, 20))
    assert days.before() == Days(date(2026, 11, 13), date(2026, 11, 19))


# --- The page -----------------------------------------------------------------------------------


def person(*permissions: str) -> User:
    found = UserFactory(is_staff=True)
    names = [name.partition(".")[2] for name in permissions]
    found.user_permissions.set(Permission.objects.filter(codename__in=names))
    return found


def page(client: Client, user: User, language: str = "vi") -> HttpResponse:
    client.force_login(user)
    client.cookies["django_language"] = language
    answer = client.get(reverse(INDEX))
    assert answer.status_code == 200
    return answer


def business(schools: int) -> None:
    for number in range(schools):
        own = SubscriptionFactory()
        PaymentOrderFactory(instance=own.instance, paid=True, paid_at=timezone.now())
        end = timezone.now() + timedelta(days=number % 5, hours=1)
        SubscriptionFactory(status="TRIAL", trial_end=end, current_period_end=end)


@pytest.mark.django_db
def test_nobody_sees_more_than_they_may(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    business(2)
    waiting = [
        Queue(
            title="Chuyển khoản chưa khớp",
            count=1000,
            capped=True,
            address="/admin/billing/banktransfer/",
            icon="account_balance",
            permissions=("billing.view_banktransfer",),
        )
    ]
    monkeypatch.setattr(queues_module, "queues", lambda request: waiting)
    everybody = {
        (): (False, False, False, False),
        ("billing.view_dailyfigure",): (True, False, False, False),
        ("billing.view_subscription",): (False, True, False, False),
        ("billing.view_dailyfigure", "billing.view_subscription"): (True, True, True, False),
        ("billing.view_banktransfer",): (False, False, False, True),
        ("billing.view_paymentorder",): (False, False, False, False),
    }
    for permissions, expected in everybody.items():
        text = page(client, person(*permissions)).text
        seen = (
            "Doanh thu hôm nay" in text,
            "Tỷ lệ rời bỏ" in text,
            "Doanh thu định kỳ hằng tháng" in text,
            "1.000+" in text,
        )
        assert seen == expected, permissions
        assert ("Vai trò của bạn không có số liệu nào" in text) == (not any(expected))
        own = text.partition('<div class="dashboard">')[2]
        assert ("₫" in own) == expected[0]
        assert "paymentorder" not in own, "where they may not look, nothing leads them"


@pytest.mark.django_db
@pytest.mark.parametrize(("language", "title"), [("vi", "Tỷ lệ rời bỏ"), ("en", "Churn")])
def test_the_page_speaks_both_languages_and_runs_no_script_of_its_own(
    client: Client, staff: User, language: str, title: str
) -> None:
    business(1)
    answer = page(client, staff, language)
    assert title in answer.text
    own = answer.text.partition('<div class="dashboard">')[2].rpartition("</section>")[0]
    assert own.count("<rect") == 30 + 36 + 6
    for forbidden in ("<script", "style=", "onclick", "http://", "https://"):
        assert forbidden not in own, forbidden


@pytest.mark.django_db
def test_what_waits_comes_before_what_is_empty(
    back_office: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    waiting = [
        Queue(
            title=title, count=count, capped=False, address="/", icon="mail", permissions=("x.y",)
        )
        for title, count in (("a", 0), ("b", 3), ("c", 0), ("d", 1))
    ]
    monkeypatch.setattr(queues_module, "queues", lambda request: waiting)
    shown = back_office.get(reverse(INDEX)).context["dashboard"]
    assert [(queue.title, count) for queue, count in shown.queues] == [
        *(("b", "3"), ("d", "1"), ("a", "0"), ("c", "0")),
    ]


@pytest.mark.django_db
def test_every_number_leads_to_its_rows(back_office: Client) -> None:
    business(2)
    shown = back_office.get(reverse(INDEX)).context["dashboard"]
    rows = {}
    for tile in (*shown.money, *shown.subscriptions):
        if tile.address:
            found = back_office.get(tile.address)
            assert found.status_code == 200, "nobody is sent to the bare list"
            rows[tile.title] = found.context["cl"].result_count
    assert rows == {
        "Doanh thu hôm nay": 2,
        "Doanh thu 7 ngày qua": 0,
        "Doanh thu 30 ngày qua": 0,
        "Học phí 30 ngày qua": 0,
        "Doanh thu định kỳ hằng tháng": 2,
        "Dùng thử kết thúc trong 7 ngày tới": 2,
        "Quá hạn": 0,
    }


@pytest.mark.django_db
def test_an_empty_business_says_what_to_do(client: Client, staff: User) -> None:
    text = page(client, staff).text
    assert "Chưa bán được gói nào" in text
    assert reverse("admin:kitehub_instance_add") in text
    assert "<rect" not in text
    looking = page(client, person("billing.view_subscription")).text
    assert reverse("admin:kitehub_instance_add") not in looking


@pytest.mark.django_db
def test_the_page_takes_as_many_queries_for_thirty_schools_as_for_three(
    back_office: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    # What waits has its own.
    monkeypatch.setattr(queues_module, "queues", lambda request: [])
    taken = []
    for schools in (3, 27):
        business(schools)
        with CaptureQueriesContext(connection) as queries:
            assert "Tỷ lệ rời bỏ" in back_office.get(reverse(INDEX)).text
        taken.append(len(queries))
    # The session, the person, figures twice, trials, and what the person did last.
    assert taken == [6, 6]
    assert Subscription.objects.count() == 60
    assert not DailyFigure.objects.exists()

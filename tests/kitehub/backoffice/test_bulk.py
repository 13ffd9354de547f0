"""A bulk action acts once, on what was seen, and tells what has come of each row."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from billing.admin import staff_time
from billing.models import Subscription
from kitehub.backoffice import runs
from tests.factories.billing import SubscriptionFactory
from tests.kitehub.backoffice.pages import form_of, list_url, results_of, signed_in

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


@pytest.fixture(autouse=True)
def _alone(settings: Any) -> None:
    settings.KITEHUB_GOODWILL_ALONE = 10**9


@pytest.fixture
def row() -> Subscription:
    return SubscriptionFactory(current_period_start=timezone.now() - DAY)


def sent(*rows: Subscription) -> dict[str, Any]:
    return {"action": "extend_all", ACTION_CHECKBOX_NAME: [str(row.pk) for row in rows]}


def asked(client: Client, *rows: Subscription) -> dict[str, Any]:
    """What somebody sends who has looked at the page."""
    page = client.post(list_url(Subscription), sent(*rows))
    told = {"confirmed": "yes", "run": form_of(page)["run"], "days": "30", "reason": "sự cố"}
    return {**sent(*rows), **told, "retyped": str(page.context["able"])}


def given(row: Subscription) -> int:
    was = row.current_period_end
    row.refresh_from_db()
    return (row.current_period_end - was).days


def test_what_is_sent_twice_is_done_once_and_its_results_stay(
    back_office: Client, row: Subscription
) -> None:
    said, was = asked(back_office, row), row.current_period_end
    first = back_office.post(list_url(Subscription), said)
    again = back_office.post(list_url(Subscription), said)
    assert first.status_code == 302
    assert first.url == again.url
    row.refresh_from_db()
    assert row.current_period_end == was + 30 * DAY
    for _ in range(2):
        page = back_office.get(first.url)
        assert results_of(page) == {str(row): True}
        assert "form" not in page.context
    assert given(row) == 0
    assert back_office.post(first.url).status_code == 405
    # Nobody else's, and not under another model.
    assert signed_in("minh@kitehub.test").get(first.url).status_code == 302
    key = first.url.rstrip("/").rpartition("/")[2]
    elsewhere = reverse("admin:billing_refund_results", args=[key])
    assert back_office.get(elsewhere).url == reverse("admin:billing_refund_changelist")


def test_what_has_changed_since_it_was_seen_is_shown_again(
    back_office: Client, row: Subscription
) -> None:
    other = SubscriptionFactory(current_period_start=timezone.now() - DAY)
    said = asked(back_office, row, other)
    row.delete()
    for changed in (said, {**said, ACTION_CHECKBOX_NAME: [str(row.pk), str(other.pk)]}):
        page = back_office.post(list_url(Subscription), changed)
        assert "vừa thay đổi" in page.content.decode()
    assert given(other) == 0
    seen = {**said, "run": form_of(page)["run"], ACTION_CHECKBOX_NAME: [str(other.pk)]}
    seen["retyped"] = "1"
    assert back_office.post(list_url(Subscription), seen).status_code == 302
    assert given(other) == 30


def test_the_number_of_rows_is_typed_again(back_office: Client, row: Subscription) -> None:
    said = asked(back_office, row)
    page = back_office.post(list_url(Subscription), {**said, "retyped": "2"})
    assert "retyped" in page.context["form"].errors
    assert given(row) == 0


def test_what_nobody_has_seen_is_shown_first(
    back_office: Client, row: Subscription, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = asked(back_office, row)
    for run in ("", "x", asked(signed_in("minh@kitehub.test"), row)["run"]):
        page = back_office.post(list_url(Subscription), {**said, "run": run})
        assert "Chưa có gì được thực hiện" in page.content.decode()
    monkeypatch.setattr(runs, "ASKED_FOR", timedelta(seconds=-1))
    assert back_office.post(list_url(Subscription), said).status_code == 200
    assert given(row) == 0


def test_row_that_changes_while_those_before_it_are_done_is_left_alone(
    back_office: Client, row: Subscription, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = sorted(
        [row, SubscriptionFactory(current_period_start=row.current_period_start)], key=key
    )
    said = asked(back_office, *rows)
    keep = runs.keep

    def and_touch(run: runs.Run, *, key: str) -> None:
        Subscription.objects.filter(pk=rows[1].pk).update(tier="PREMIUM")
        keep(run, key=key)

    monkeypatch.setattr(runs, "keep", and_touch)
    page = back_office.post(list_url(Subscription), said, follow=True)
    assert [it.done for it in page.context["outcomes"]] == [True, False]
    assert [given(each) for each in rows] == [30, 0]


def test_error_of_one_row_is_its_result_and_in_the_log(
    back_office: Client,
    row: Subscription,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    other = SubscriptionFactory(current_period_start=row.current_period_start)
    rows = sorted([row, other], key=key)
    said = asked(back_office, *rows)

    def breaking(work: Any, place: int) -> Any:
        def breaks(*args: Any, **options: Any) -> Any:
            done = work(*args, **options)
            if args[place] == rows[1]:
                raise Subscription.DoesNotExist
            return done

        return breaks

    # What the preview calls, and what the work calls.
    for holder, name, place, sending in (
        (staff_time, "changed", 0, sent(*rows)),
        (staff_time.KeepsTime, "_offer", 2, said),
    ):
        with monkeypatch.context() as patch:
            patch.setattr(holder, name, breaking(getattr(holder, name), place))
            page = back_office.post(list_url(Subscription), sending, follow=True)
        first, last = page.context["outcomes"]
        assert (first.done, last.done, "Có lỗi" in last.said) == (True, False, True)
        assert "DoesNotExist" in caplog.text
        caplog.clear()
    assert [given(each) for each in rows] == [30, 0]


def key(row: Subscription) -> str:
    return str(row.pk)

"""One click too many on a bulk action: both answers arrive at the same moment, one of them acts."""

import threading
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.test import Client
from django.utils import timezone

from billing.models import Subscription
from kitehub.backoffice import runs
from tests.concurrency.threads import PATIENCE, together
from tests.factories.billing import SubscriptionFactory
from tests.kitehub.backoffice.pages import form_of, list_url, signed_in


@pytest.mark.django_db(transaction=True)
def test_two_equal_answers_at_once_act_once(monkeypatch: pytest.MonkeyPatch, settings: Any) -> None:
    settings.KITEHUB_GOODWILL_ALONE = 10**9
    row = SubscriptionFactory(current_period_start=timezone.now() - timedelta(days=1))
    was, client = row.current_period_end, signed_in("lan@kitehub.test")
    sent = {"action": "extend_all", ACTION_CHECKBOX_NAME: [str(row.pk)]}
    run = form_of(client.post(list_url(Subscription), sent))["run"]
    said = {**sent, "run": run, "confirmed": "yes", "days": "30", "reason": "sự cố", "retyped": "1"}
    both, take = threading.Barrier(2), runs.take

    def take_together(*args: Any, **kwargs: Any) -> bool:
        both.wait(PATIENCE)
        return take(*args, **kwargs)

    monkeypatch.setattr(runs, "take", take_together)

    def click() -> str:
        browser = Client()
        browser.cookies = client.cookies
        return browser.post(list_url(Subscription), said).url

    first, second = together(click, click)
    assert first == second
    row.refresh_from_db()
    assert row.current_period_end == was + timedelta(days=30)

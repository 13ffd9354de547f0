"""What staff see of stored bytes."""

import re

import pytest
from django.test import Client
from django.urls import reverse

from kitehub.enums import Tier
from storage import services
from storage.models import StorageEvent, StorageUsage
from tests.factories.kitehub import InstanceConfigFactory
from tests.storage.ledger import upload, with_room

pytestmark = pytest.mark.django_db


def page(browser: Client, name: str, *arguments: object) -> str:
    browser.cookies["django_language"] = "en"
    return browser.get(reverse(f"admin:storage_{name}", args=arguments)).content.decode()


def test_usage_shows_what_is_reserved(back_office: Client) -> None:
    instance = with_room(10 * 1024)
    upload(instance, 3 * 1024)
    services.reserve(instance_id=instance, size=2 * 1024)
    shown = page(back_office, "storageusage_changelist")
    for text in ("3.0\xa0KB", "2.0\xa0KB", "10.0\xa0KB", "30%"):
        assert text in shown


def test_no_limit_is_shown_as_such_and_has_no_share(back_office: Client) -> None:
    config = InstanceConfigFactory(tier=Tier.BASIC, limitations={"maxStorageBytes": None})
    upload(config.instance_id, 3 * 1024)
    usage = StorageUsage.objects.get()
    for shown in (
        page(back_office, "storageusage_changelist"),
        page(back_office, "storageusage_change", usage.pk),
    ):
        assert "unlimited" in shown
        assert not re.search(r"\d\xa0EB\b", shown)
        assert not re.search(r">\s*\d+%", shown)


def test_an_adjustment_says_why_and_by_how_much(back_office: Client) -> None:
    instance = with_room(1000)
    upload(instance, 500)
    StorageUsage.objects.update(used_bytes=200)
    services.reconcile()
    adjustment = StorageEvent.objects.get(operation="ADJUST")
    assert "Adjustment" in page(back_office, "storageevent_changelist")
    shown = page(back_office, "storageevent_change", adjustment.pk)
    assert "Reconciled: used 200 -&gt; 500 (+300)" in shown


def test_reservations_are_listed_and_nobody_changes_them(back_office: Client) -> None:
    reservation = services.reserve(instance_id=with_room(5000), size=2048)
    assert "2.0\xa0KB" in page(back_office, "reservation_changelist")
    url = reverse("admin:storage_reservation_change", args=[reservation.pk])
    assert back_office.post(url, {"status": "RELEASED"}).status_code == 403

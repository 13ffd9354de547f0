"""A real browser, signed in as the owner of a school or as staff."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.conf import settings
from django.test import Client

from billing.enums import SubscriptionStatus
from billing.models import PaymentOrder
from billing.services.orders import open_order
from kitehub.enums import InstanceStatus, Tier
from kitehub.models import Instance, User
from tests.browser.chromium import OPTIONS, PATH
from tests.factories.billing import SubscriptionFactory
from tests.factories.kitehub import InstanceFactory, UserFactory
from tests.kitehub.portal.conftest import owner, school

__all__ = ["owner", "school"]
# Nothing is at this address, and the browser may say so.
NOWHERE = "/admin/nothing-is-here/"


@pytest.fixture(scope="session")
def chromium() -> Iterator[Any]:
    """Debian's Chromium; the tests are skipped where there is none, and fail where CI has one."""
    if PATH is None:
        needed = os.environ.get("KITEHUB_TESTS_NEED_CHROMIUM")
        (pytest.fail if needed else pytest.skip)("there is no chromium here")
    from playwright.sync_api import sync_playwright

    with pytest.MonkeyPatch.context() as patch, sync_playwright() as playwright:
        # Its loop runs in this thread, so Django takes the test for a coroutine.
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")
        browser = playwright.chromium.launch(executable_path=PATH, args=OPTIONS)
        yield browser
        browser.close()


@pytest.fixture
def page(chromium: Any, live_server: Any, school: Instance) -> Iterator[Any]:
    """The owner's page on a phone; what its console or its scripts complain of fails the test."""
    phone = {"width": 390, "height": 844}
    with signed_in(chromium, live_server.url, school.owner, phone) as page:
        yield page


@pytest.fixture
def desk(chromium: Any, live_server: Any, staff: User) -> Iterator[Any]:
    """A superuser's page on a desk; what its console or its scripts complain of fails the test."""
    screen = {"width": 1280, "height": 900}
    with signed_in(chromium, live_server.url, staff, screen) as page:
        yield page


@contextmanager
def signed_in(chromium: Any, address: str, person: User, size: dict[str, int]) -> Iterator[Any]:
    """A page of a browser in Vietnam that somebody has signed in to."""
    client = Client()
    client.force_login(person)
    context = chromium.new_context(
        base_url=address,
        viewport=size,
        timezone_id="Asia/Ho_Chi_Minh",
        permissions=["clipboard-read", "clipboard-write"],
    )
    cookie = {"name": settings.SESSION_COOKIE_NAME, "url": address}
    context.add_cookies([{**cookie, "value": client.cookies[settings.SESSION_COOKIE_NAME].value}])
    context.set_default_timeout(10_000)
    page = context.new_page()
    # A test that provokes one takes it off.
    complaints = page.complaints = []
    page.on("console", lambda said: complaints.append(f"{said.text} {said.location['url']}"))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    yield page
    page.goto("about:blank")  # no poll is under way when the database is emptied
    context.close()
    assert [said for said in complaints if not said.endswith(NOWHERE)] == []


@pytest.fixture
def hoa_mai(db: None) -> Instance:
    """A school that has paid."""
    owner = UserFactory(email="hoa@hoamai.example", full_name="Đỗ Thị Hoa")
    school = InstanceFactory(
        organization_name="Trung tâm Anh ngữ Hoa Mai",
        subdomain="hoa-mai",
        owner=owner,
        status=InstanceStatus.ACTIVE,
    )
    SubscriptionFactory(instance=school, status=SubscriptionStatus.ACTIVE)
    return school


@pytest.fixture
def order(hoa_mai: Instance) -> PaymentOrder:
    """Its order for the next month, open."""
    return open_order(instance=hoa_mai, tier=Tier.BASIC, actor="hoa@hoamai.example")

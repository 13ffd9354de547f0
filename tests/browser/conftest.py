"""A real browser, signed in as the owner of a school."""

import os
import shutil
from collections.abc import Iterator
from typing import Any

import pytest
from django.conf import settings
from django.test import Client

from kitehub.models import Instance
from tests.kitehub.portal.conftest import owner, school

__all__ = ["owner", "school"]
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")


@pytest.fixture(scope="session")
def chromium() -> Iterator[Any]:
    """Debian's Chromium; the tests are skipped where there is none, and fail where CI has one."""
    if CHROMIUM is None:
        needed = os.environ.get("KITEHUB_TESTS_NEED_CHROMIUM")
        (pytest.fail if needed else pytest.skip)("there is no chromium here")
    from playwright.sync_api import sync_playwright

    with pytest.MonkeyPatch.context() as patch, sync_playwright() as playwright:
        # Its loop runs in this thread, so Django takes the test for a coroutine.
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-dev-shm-usage"]
        )
        yield browser
        browser.close()


@pytest.fixture
def page(chromium: Any, live_server: Any, school: Instance) -> Iterator[Any]:
    """A page on a phone; whatever its console or its scripts complain of fails the test."""
    client = Client()
    client.force_login(school.owner)
    context = chromium.new_context(
        base_url=live_server.url,
        viewport={"width": 390, "height": 844},
        permissions=["clipboard-read", "clipboard-write"],
    )
    cookie = {"name": settings.SESSION_COOKIE_NAME, "url": live_server.url}
    context.add_cookies([{**cookie, "value": client.cookies[settings.SESSION_COOKIE_NAME].value}])
    context.set_default_timeout(15_000)
    page = context.new_page()
    complaints: list[str] = []
    page.on("console", lambda said: complaints.append(said.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    yield page
    page.goto("about:blank")  # no poll is under way when the database is emptied
    context.close()
    assert complaints == []

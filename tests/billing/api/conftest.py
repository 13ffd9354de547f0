"""A school with a bank account, whose program opens orders for its courses."""

from typing import Any

import pytest
from django.test import Client

from kitehub.models import Instance
from tests.factories.kitehub import InstanceFactory
from tests.kitehub.api.conftest import program

URL = "/api/v1/orders"
COURSE = {"amount": 1_500_000, "course_id": "TOAN9", "student_name": "Nguyễn Văn An"}


def with_account(**said: Any) -> Instance:
    """A school that courses can be paid to."""
    account = {"bank_code": "970422", "account_number": "0001234567", "account_name": "SAO MAI"}
    return InstanceFactory(**{**account, **said})


def ask(client: Client, *, key: str | None = None, **said: Any) -> Any:
    """Asks for an order, for COURSE unless `said` otherwise."""
    headers = {"idempotency-key": key} if key is not None else {}
    body = {**COURSE, **said}
    return client.post(URL, body, content_type="application/json", headers=headers)


@pytest.fixture
def school(db: None) -> Instance:
    return with_account()


@pytest.fixture
def website(school: Instance) -> Client:
    return program(school)

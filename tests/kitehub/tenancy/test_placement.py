"""What an instance's address makes of its connection."""

from typing import Any

import pytest
from django.db import connections

from kitehub import tenancy
from kitehub.models import Instance
from tests.factories.kitehub import InstanceFactory


def placed(url: str, user: str = "", password: str = "") -> Instance:
    """A school with this address."""
    return InstanceFactory.build(
        database_url=url, database_username=user, database_password=password
    )


def settings_of(instance: Instance) -> dict[str, Any]:
    """How its database would be connected to."""
    alias = tenancy.alias_of(instance)
    return connections.settings[alias]


@pytest.fixture(autouse=True)
def _no_traces(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """The aliases go with the test."""
    monkeypatch.setattr(connections, "settings", dict(connections.settings))


def password_of(instance: Instance) -> str:
    """What would be sent."""
    connection = connections.create_connection(tenancy.alias_of(instance))
    return connection.get_connection_params().get("password", "")


def test_password_of_the_column_is_sent_and_that_of_the_address_where_there_is_none() -> None:
    assert password_of(placed("postgres://db2/school", "minh", "s3cret")) == "s3cret"
    assert password_of(placed("postgres://an:in-url@db2/school")) == "in-url"
    assert password_of(placed("postgres://an:in-url@db2/school", "an")) == "in-url"
    # Somebody else's password is of no use.
    assert password_of(placed("postgres://an:in-url@db2/school", "minh")) == ""


def test_password_of_an_address_is_not_kept_in_plain_sight() -> None:
    assert "in-url" not in repr(settings_of(placed("postgres://an:in-url@db2/school")))


def test_other_options_are_another_connection() -> None:
    one = placed("postgres://db2/school", "an")
    other = placed("postgres://db2/school?sslmode=verify-full", "an")
    assert tenancy.alias_of(one) != tenancy.alias_of(other)
    assert settings_of(other)["OPTIONS"]["sslmode"] == "verify-full"


def test_silos_role_is_not_told_to_act_as_the_platforms(monkeypatch: pytest.MonkeyPatch) -> None:
    pool = connections.settings["default"]
    options = {"assume_role": "owner", "sslmode": "prefer"}
    monkeypatch.setitem(connections.settings, "default", {**pool, "OPTIONS": options})
    assert settings_of(placed("postgres:///school", "an"))["OPTIONS"] == {"sslmode": "prefer"}
    own = settings_of(placed("postgres:///school_of_the_platforms_role"))["OPTIONS"]
    assert own["assume_role"] == "owner"

"""Fixtures of several rooms: a data folder for processes, pages that nobody looks at."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from django.template.response import SimpleTemplateResponse

from tests.kitehub.db.clients import temporary_data_dir


@pytest.fixture
def data_dir() -> Iterator[Path]:
    """A data folder of the test's own."""
    with temporary_data_dir() as folder:
        yield folder


@pytest.fixture
def undrawn(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pages are answered but not drawn, which takes most of the time: other tests draw them all."""
    monkeypatch.setattr(SimpleTemplateResponse, "rendered_content", "")

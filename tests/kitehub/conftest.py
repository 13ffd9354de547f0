"""Fixtures of the tests that start processes of the project."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.kitehub.db.clients import temporary_data_dir


@pytest.fixture
def data_dir() -> Iterator[Path]:
    """A data folder of the test's own."""
    with temporary_data_dir() as folder:
        yield folder

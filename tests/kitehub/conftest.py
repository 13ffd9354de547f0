"""Fixtures of the tests that start processes of the project."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.kitehub.db.clients import servers


@pytest.fixture
def data_dir(tmp_path: Path) -> Iterator[Path]:
    """A data folder of the test's own; a server that a failed test leaves there is ended."""
    yield tmp_path
    for process in servers(tmp_path):
        process.kill()

"""Fixtures of the tests of jobs."""

from tests.kitehub.tenancy.conftest import migrated_silo, silo

__all__ = ["migrated_silo", "silo"]

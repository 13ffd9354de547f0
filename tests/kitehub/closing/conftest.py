"""Schools to close."""

from tests.kitehub.archives.conftest import migrated_silo, school, silo, silos, template

__all__ = ["migrated_silo", "school", "silo", "silos", "template"]

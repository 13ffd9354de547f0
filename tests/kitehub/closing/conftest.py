"""Schools to close."""

from tests.kitehub.archives.conftest import school, silos, template

__all__ = ["school", "silos", "template"]

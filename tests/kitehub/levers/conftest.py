"""Schools to pull levers on."""

from tests.kitehub.moving.conftest import _no_template_left, moved_school

__all__ = ["_no_template_left", "moved_school"]

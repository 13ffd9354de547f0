"""An owner of a school, and their browser."""

from tests.kitehub.portal.conftest import browser, owner, school, texts

__all__ = ["browser", "owner", "school", "texts"]

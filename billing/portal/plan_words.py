"""Features and limits of the tiers in words for owners."""

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from kitehub.display import size
from kitehub.plans import STORAGE

_FEATURES = {
    "engagement": gettext_lazy("Tools to keep in touch with students"),
    "media": gettext_lazy("Pictures, sound and video"),
    "premium": gettext_lazy("Premium features"),
}


def feature_words(name: str) -> str:
    """A feature as people call it; one without words by its own name."""
    return str(_FEATURES.get(name, name))


def limit_words(name: str, limit: int | None, used: int | None = None) -> str:
    """A limit as a short phrase, with what is used of it where that is known."""
    words = _limit(name, limit)
    if used is None:
        return words
    told = size(used) if name == STORAGE else f"{used:d}"
    return _("%(limit)s; you use %(used)s") % {"limit": words, "used": told}


def _limit(name: str, limit: int | None) -> str:
    match name:
        case "maxStudents":
            if limit is None:
                return _("Students without limit")
            return _("Up to %(count)s students") % {"count": limit}
        case "maxCourses":
            if limit is None:
                return _("Courses without limit")
            return _("Up to %(count)s courses") % {"count": limit}
        case _other if name == STORAGE:
            if limit == 0:
                return _("No room for files")
            if limit is None:
                return _("Room for files without limit")
            return _("%(size)s for files") % {"size": size(limit)}
    return f"{name}: {limit if limit is not None else '–'}"

"""Index classes."""

from django.db import models


class Index(models.Index):
    """An index whose name may be as long as PostgreSQL allows, 63 bytes.

    Django stops at 30 for the sake of Oracle; the plan's longest name has 39.
    """

    max_name_length = 63

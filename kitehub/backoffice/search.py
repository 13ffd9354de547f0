"""One search box that looks up whole values on indexed columns."""

import re
from collections.abc import Sequence
from typing import Any, ClassVar
from uuid import UUID

from django.db.models import Q, QuerySet
from django.http import HttpRequest

# Python's own parser also takes other scripts' digits, blanks and "0x".
_UUID = re.compile(
    r"(urn:uuid:)?\{?[0-9a-f]{8}(-?)([0-9a-f]{4}\2){3}[0-9a-f]{12}\}?", re.ASCII | re.IGNORECASE
)


def parse_uuid(text: str) -> UUID | None:
    """The UUID that somebody pasted, with or without hyphens, braces or `urn:uuid:`; or None."""
    digits = _UUID.fullmatch(text.strip())
    return UUID(digits[0]) if digits else None


def spellings(term: str) -> list[str]:
    """The term as it was typed, in upper and in lower case: codes are stored in any of them."""
    return list(dict.fromkeys((term, term.upper(), term.lower())))


class ExactSearch:
    """Searches `search_columns` for the whole term, and `search_uuids` if it is a UUID.

    Each column is compared with the term's spellings, with `=` on its own index, which PostgreSQL
    combines; the admin's own search would scan the table with LIKE, or cast a UUID column to text.
    What lives in another table is resolved to ids first by `related_matches`: an OR across a join
    cannot use an index.
    """

    # Django shows the box only where this is set.
    search_fields: Sequence[str] = ("id",)
    search_columns: ClassVar[Sequence[str]] = ()
    search_uuids: ClassVar[Sequence[str]] = ("id",)

    def related_matches(self, term: str) -> Q:
        """Conditions on this table's own columns, from what the term finds in other tables."""
        return Q()

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """The rows that have the term; all rows for a blank one, none for one that fits nowhere."""
        # PostgreSQL text cannot hold NUL, so nothing matches it and asking would be an error.
        term = search_term.replace("\x00", "").strip()
        if not term:
            return (queryset.none() if search_term.strip() else queryset), False
        matches = self.related_matches(term)
        for column in self.search_columns:
            matches |= Q(**{f"{column}__in": spellings(term)})
        if (key := parse_uuid(term)) is not None:
            for column in self.search_uuids:
                matches |= Q(**{column: key})
        return (queryset.filter(matches) if matches else queryset.none()), False

"""One search box that looks up whole values on indexed columns."""

import re
from collections.abc import Sequence
from functools import reduce
from operator import or_
from typing import Any, ClassVar
from uuid import UUID

from django.db.models import Q, QuerySet
from django.http import HttpRequest

from kitehub.backoffice.amounts import parse_amount
from kitehub.backoffice.counts import counts_up_to

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

    Each column is compared with the term's spellings, with `=` on its own index; the admin's own
    search would scan the table with LIKE, or cast a UUID column to text. What lives in another
    table is resolved to ids first by `related_matches`: an OR across a join cannot use an index.
    Which of the columns have the term is asked first, and the others are left out: what is
    left is mostly one, and its index gives the rows in the list's order.

    A term that is found nowhere is looked up by `last_resort`: as an amount, where the list has a
    column `search_amount`.
    """

    # Django shows the box only where this is set.
    search_fields: Sequence[str] = ("id",)
    search_columns: ClassVar[Sequence[str]] = ()
    search_uuids: ClassVar[Sequence[str]] = ("id",)
    search_amount: ClassVar[str] = ""

    def related_matches(self, term: str) -> Q:
        """Conditions on this table's own columns, from what the term finds in other tables."""
        return Q()

    def last_resort(self, term: str) -> Q:
        """What to look for where no column has the term."""
        if not self.search_amount or (amount := parse_amount(term)) is None:
            return Q()
        return Q(**{self.search_amount: amount})

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """The rows that have the term; all rows for a blank one, none for one that fits nowhere."""
        # PostgreSQL text cannot hold NUL, so nothing matches it and asking would be an error.
        term = search_term.replace("\x00", "").strip()
        if not term:
            return (queryset.none() if search_term.strip() else queryset), False
        resort = self.last_resort(term)
        found = self._found(queryset, term, certain=bool(resort))
        matches = reduce(or_, found, Q()) or resort
        return (queryset.filter(matches) if matches else queryset.none()), False

    def _found(self, queryset: QuerySet[Any], term: str, *, certain: bool) -> list[Q]:
        """The conditions that some row fits; a single one untried unless that must be `certain`."""
        related = self.related_matches(term)
        apart = related.connector == Q.OR and not related.negated
        tried = [Q(each) for each in related.children] if apart else [related] * bool(related)
        tried += [Q(**{f"{column}__in": spellings(term)}) for column in self.search_columns]
        if (key := parse_uuid(term)) is not None:
            tried += [Q(**{column: key}) for column in self.search_uuids]
        if len(tried) < 2 and not certain:
            return tried
        rows = queryset.model._base_manager.using(queryset.db).order_by()
        fitting = counts_up_to([rows.filter(each) for each in tried], most=0)
        return [each for each, fits in zip(tried, fitting, strict=True) if fits]

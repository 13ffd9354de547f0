"""The grace ladder of the settings, and the silences of the bank's feed that lengthen it."""

from datetime import datetime, timedelta

from django.conf import settings

from billing.accounts import same_number
from billing.dunning import Ladder, Silence
from kitehub.db import rows

# A feed that has said nothing for longer is one that nobody reads any more.
LONGEST_SILENCE = timedelta(days=14)
_SILENCES = """
    SELECT feed.account_number, silence.starts_at, silence.ends_at
    FROM bank_feed_silences silence JOIN bank_feeds feed ON feed.id = silence.feed_id
    WHERE COALESCE(silence.ends_at, 'infinity') > COALESCE(%s::timestamptz, '-infinity')
"""


def ladder() -> Ladder:
    """The steps after the end of a period, as KITEHUB_GRACE has them."""
    warn, block, suspend = settings.KITEHUB_GRACE
    return Ladder(warn=warn, block=block, suspend=suspend)


def silences(*, since: datetime | None = None) -> list[Silence]:
    """The silences of the feeds of KiteHub's account that ended after a moment or last on.

    Without a moment, all of them. None lasts for more than two weeks.
    """
    found = []
    for number, starts_at, ends_at in rows.fetch(_SILENCES, [since]):
        # A feed that doesn't say which account it is of may be of ours.
        if number and not same_number(number, settings.KITEHUB_BANK_ACCOUNT):
            continue
        latest = starts_at + LONGEST_SILENCE
        found.append(Silence(starts_at, min(ends_at or latest, latest)))
    return found

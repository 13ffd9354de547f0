"""Memos: what a payer's transfer says, and the plan's text on the order.

A VietQR memo has 25 characters (NAPAS 1.0, tag 62-08), and banks keep no more than letters, digits
and blanks of it. Our code comes first, so that whoever cuts cuts what follows.
"""

import re
from datetime import datetime
from zoneinfo import ZoneInfo

from billing.matching import order_codes
from billing.plain_text import fold
from billing.vietqr import MEMO_LENGTH

__all__ = ["enrollment_memo", "fold", "payment_content", "subscription_memo"]

_VIETNAM = ZoneInfo("Asia/Ho_Chi_Minh")
# As the column has it.
_CONTENT_LENGTH = 200
# Shorter beginnings of a word tell nobody anything.
_SHORTEST_CUT = 3
_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")


def subscription_memo(code: str) -> str:
    """The memo of an order that KiteHub is paid for: the code alone."""
    return code


def enrollment_memo(
    *, code: str, template: str | None, course_id: str, student_name: str, at: datetime
) -> str:
    """The memo of a course fee: the code and, as far as 25 characters go, the school's own text.

    The template has {courseId}, {studentName} and {timestamp} (day, month, hour and minute in
    Vietnam); other placeholders are left out. Words are kept whole, but for a last one of which
    at least three letters fit. No order code but ours can be read in it. Raises ValueError for a
    code that doesn't fit.
    """
    if len(code) > MEMO_LENGTH:
        raise ValueError(f"An order code of {len(code)} characters is too long for a memo.")
    values = {
        "courseid": course_id,
        "studentname": student_name,
        "timestamp": f"{at.astimezone(_VIETNAM):%d%m%H%M}",
    }
    text = _PLACEHOLDER.sub(lambda match: values.get(match[1].strip().lower(), " "), template or "")
    words = _fitting(fold(text).split(), room=MEMO_LENGTH - len(code))
    while not _says_only(code, memo := " ".join((code, *words))):
        words.pop()
    return memo


def payment_content(code: str, email: str) -> str:
    """The plan's text for the order (V2), for people: no bank would carry it whole."""
    return f"KITEHUB {code} {email}"[:_CONTENT_LENGTH]


def _fitting(words: list[str], *, room: int) -> list[str]:
    """The first words, each with a blank before it, that fit."""
    fitting = []
    for word in words:
        room -= 1
        if len(word) > room:
            if room >= _SHORTEST_CUT:
                fitting.append(word[:room])
            break
        fitting.append(word)
        room -= len(word)
    return fitting


def _says_only(code: str, memo: str) -> bool:
    """Whether no other code is in the memo, also where a bank drops the blanks."""
    found = {*order_codes(memo), *order_codes(memo.replace(" ", ""))}
    return memo == code or found <= {code}

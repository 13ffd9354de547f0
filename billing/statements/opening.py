"""Every way that a statement's file can be understood."""

import io
from collections.abc import Iterator

from billing.statements.files import Sheet, check_kind
from billing.statements.text_files import text_sheets
from billing.statements.workbooks import workbook_sheets


def sheets(
    data: bytes, filename: str, *, encoding: str = "", delimiter: str = ""
) -> Iterator[Sheet]:
    """A workbook's sheets, or a text in its likely encodings and with its likely delimiters.

    Raises Unreadable, at once or while it goes on.
    """
    if check_kind(data, filename):
        return workbook_sheets(io.BytesIO(data))
    return text_sheets(data, encoding=encoding, delimiter=delimiter)

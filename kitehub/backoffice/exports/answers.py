"""Answers that are files: CSV leaves while it is read, XLSX once it is whole."""

import logging
from collections.abc import AsyncIterator, Callable, Generator, Sequence
from contextlib import ExitStack, closing
from tempfile import TemporaryFile
from typing import IO, Any

from asgiref.sync import sync_to_async
from django.core.handlers.asgi import ASGIRequest
from django.db.models import QuerySet
from django.http import HttpRequest, StreamingHttpResponse
from django.utils import timezone
from django.utils.http import content_disposition_header
from django.utils.text import capfirst
from django.utils.translation import gettext

from kitehub.backoffice.exports import csv_file, xlsx_file
from kitehub.backoffice.exports.columns import Prepared
from kitehub.backoffice.exports.rows import LONGEST, ExportTooSlow, chunks
from kitehub.backoffice.exports.trail import Trail

logger = logging.getLogger(__name__)

TYPES = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
BLOCK = 1 << 18
Blocks = Generator[bytes, None, None]


def csv_answer(
    request: HttpRequest, rows: QuerySet[Any], columns: Sequence[Prepared]
) -> StreamingHttpResponse:
    """The rows as CSV, whose first bytes leave before any row is read."""
    trail = Trail.begin(request, rows.model, "csv")
    return _answer(request, rows, "csv", _csv(rows, columns, trail, reader=request.user.pk))


def xlsx_answer(
    request: HttpRequest, rows: QuerySet[Any], columns: Sequence[Prepared]
) -> StreamingHttpResponse:
    """The rows as XLSX, which is on the disk before its first byte leaves."""
    trail = Trail.begin(request, rows.model, "xlsx")
    with ExitStack() as undo:
        undo.callback(trail.end)
        file = undo.enter_context(TemporaryFile())
        # Closed with the transaction that reads them, also after an error.
        with closing(chunks(rows, columns, reader=request.user.pk)) as read:
            trail.rows = xlsx_file.write(file, title=_title(rows), columns=columns, chunks=read)
        undo.pop_all()
    length = file.tell()
    answer = _answer(request, rows, "xlsx", _sent(file, trail))
    answer["Content-Length"] = str(length)
    # Also where nobody takes a block of it.
    answer._resource_closers.append(file.close)  # type: ignore[attr-defined]
    return answer


ANSWERS = {"csv": csv_answer, "xlsx": xlsx_answer}


def _title(rows: QuerySet[Any]) -> str:
    return capfirst(str(rows.model._meta.verbose_name_plural))


def _answer(
    request: HttpRequest, rows: QuerySet[Any], kind: str, blocks: Blocks
) -> StreamingHttpResponse:
    name = f"{_title(rows)} {timezone.localtime():%Y-%m-%d %H.%M}.{kind}"
    stream: Any = _Async(blocks) if isinstance(request, ASGIRequest) else blocks
    answer = StreamingHttpResponse(stream, content_type=TYPES[kind])
    answer["Content-Disposition"] = content_disposition_header(True, name) or ""
    answer["Cache-Control"] = "no-store"
    answer["X-Content-Type-Options"] = "nosniff"
    # A proxy passes it on as it comes.
    answer["X-Accel-Buffering"] = "no"
    return answer


def _csv(rows: QuerySet[Any], columns: Sequence[Prepared], trail: Trail, *, reader: Any) -> Blocks:
    """The file, as its rows are read. After an error its last line says that it is not whole."""
    failed = gettext("THIS FILE IS NOT WHOLE: an error ended it after %(rows)s rows.")
    slow = gettext(
        "THIS FILE IS NOT WHOLE: %(minutes)s minutes were over after %(rows)s rows. Ask for fewer."
    )
    try:
        yield csv_file.head(columns)
        with closing(chunks(rows, columns, reader=reader)) as read:
            for chunk in read:
                yield csv_file.lines(columns, chunk)
                trail.rows += len(chunk[0])
        trail.whole = True
    except ExportTooSlow:
        logger.warning("The export of %s took too long.", rows.model._meta.label)
        minutes = int(LONGEST.total_seconds() // 60)
        yield csv_file.alone(slow % {"minutes": minutes, "rows": trail.rows})
        raise
    except Exception:
        logger.exception("The export of %s ended early.", rows.model._meta.label)
        yield csv_file.alone(failed % {"rows": trail.rows})
        # The connection breaks off, and a browser says so too.
        raise
    finally:
        trail.end()


def _sent(file: IO[bytes], trail: Trail) -> Blocks:
    """A file's content; gone from the disk once it is sent."""
    try:
        with file:
            file.seek(0)
            while block := file.read(BLOCK):
                yield block
        trail.whole = True
    finally:
        trail.end()


class _Async:
    """Blocks for a server that asks asynchronously; Django would collect them all first."""

    def __init__(self, blocks: Blocks) -> None:
        self.blocks = blocks

    async def __aiter__(self) -> AsyncIterator[bytes]:
        take: Callable[..., Any] = sync_to_async(next, thread_sensitive=True)
        while (block := await take(self.blocks, None)) is not None:
            yield block

    def close(self) -> None:
        """Ends the blocks where they are: whoever asked has gone away."""
        self.blocks.close()

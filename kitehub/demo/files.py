"""Files that teachers store: uploads and deletions, up to the limit, near it and beyond."""

from datetime import datetime, timedelta
from random import Random
from urllib.parse import quote

from kitehub.demo.chance import fixed_id, random_id
from kitehub.demo.moments import by_day
from kitehub.demo.people import teacher_email
from kitehub.demo.subscriptions import Life
from kitehub.plans import GIB
from storage.enums import FileType, StorageOperation
from storage.models import StorageEvent, StorageUsage

MIB = 1024**2
NAMES = {
    FileType.VIDEO: (
        "bai-giang-tuan-{n}.mp4",
        "Buổi {n} - ghi hình lớp tối.mp4",
        "on-tap-chuong-{n}.mp4",
        "Chữa đề số {n}.mp4",
        "quay-man-hinh-buoi-{n}.mp4",
    ),
    FileType.IMAGE: (
        "anh-khai-giang-{n}.jpg",
        "so-do-tu-duy-bai-{n}.png",
        "Bảng điểm tháng {n}.png",
        "IMG_{n:04}.jpg",
    ),
    FileType.ATTACHMENT: (
        "Đề kiểm tra 15 phút số {n}.pdf",
        "bai-tap-ve-nha-tuan-{n}.pdf",
        "Đề cương ôn tập chương {n}.docx",
        "danh-sach-lop-{n}.xlsx",
        "slide-buoi-{n}.pptx",
    ),
}
SIZES = {
    FileType.VIDEO: (90 * MIB, 620 * MIB),
    FileType.IMAGE: (180 * 1024, 7 * MIB),
    FileType.ATTACHMENT: (60 * 1024, 24 * MIB),
}


def usage(life: Life) -> StorageUsage:
    """An empty store, for the config's trigger to give its limit and the events' to fill."""
    return StorageUsage(
        id=fixed_id(f"usage/{life.school.subdomain}"),
        instance_id=life.school.id,
        used_bytes=0,
        limit_bytes=0,
        last_updated=life.born,
    )


def events(life: Life, *, at: datetime, rng: Random) -> list[StorageEvent]:
    """A school's uploads and deletions in order of time; what is left is `stored_gib`."""
    remaining = round(life.school.stored_gib * GIB)
    last = life.closed_at or at
    made: list[StorageEvent] = []
    while remaining:
        event = _upload(life, by_day(life.born, last, rng), rng)
        if remaining - event.file_size_bytes < 40 * MIB:
            _rename(event, FileType.VIDEO, life, rng)
            event.file_size_bytes = remaining
        remaining -= event.file_size_bytes
        made.append(event)
        if rng.random() < 0.12:
            made += _second_thoughts(life, event.created_at, last=last, rng=rng)
    return sorted(made, key=lambda event: event.created_at)


def _second_thoughts(
    life: Life, moment: datetime, *, last: datetime, rng: Random
) -> list[StorageEvent]:
    """A file that was taken away again some days later."""
    event = _upload(life, moment, rng)
    removed = by_day(moment + timedelta(minutes=4), moment + timedelta(days=5), rng)
    if removed > last:
        return []
    deletion = StorageEvent(
        id=random_id(rng),
        instance_id=event.instance_id,
        file_type=event.file_type,
        file_name=event.file_name,
        file_url=event.file_url,
        file_size_bytes=event.file_size_bytes,
        operation=StorageOperation.DELETE,
        created_at=removed,
        created_by=life.owner.email,
    )
    return [event, deletion]


def _upload(life: Life, moment: datetime, rng: Random) -> StorageEvent:
    kind = rng.choices(tuple(SIZES), (5, 3, 4))[0]
    event = StorageEvent(
        id=random_id(rng),
        instance_id=life.school.id,
        file_size_bytes=rng.randint(*SIZES[kind]),
        operation=StorageOperation.UPLOAD,
        created_at=moment,
        created_by=teacher_email(life.school, rng),
    )
    _rename(event, kind, life, rng)
    return event


def _rename(event: StorageEvent, kind: FileType, life: Life, rng: Random) -> None:
    event.file_type = kind
    event.file_name = rng.choice(NAMES[kind]).format(n=rng.randint(1, 12))
    event.file_url = (
        f"https://files.kitehub.example/{life.school.subdomain}/{event.id.hex[:12]}/"
        f"{quote(event.file_name)}"
    )

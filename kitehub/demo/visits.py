"""Visits: guests' sessions and events, with the rhythm of Vietnamese evenings and weekends."""

import json
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from itertools import accumulate
from random import Random
from uuid import UUID

from analytics.enums import DeviceType, EventType, GuestSource
from kitehub.demo.chance import time_ordered_id
from kitehub.demo.moments import midnight
from kitehub.demo.schools import School
from kitehub.demo.subjects import Course
from kitehub.demo.subscriptions import Life

EVENTS = 50_000
DAYS = 182
SESSION_COLUMNS = (
    "id", "session_id", "instance_id", "created_at", "expires_at", "source", "device_type",
    "user_agent", "ip_address",
)  # fmt: skip
EVENT_COLUMNS = (
    "id", "session_id", "instance_id", "event_type", "course_id", "course_name", "timestamp",
    "metadata",
)  # fmt: skip
SessionRow = tuple[UUID, str, UUID, datetime, datetime, str, str, str, str]
EventRow = tuple[UUID, str, UUID, str, UUID | None, str | None, datetime, str]

# How busy each hour of the day is, from midnight on, and each day of the week, from Monday on.
HOURS = (
    0.15, 0.07, 0.04, 0.03, 0.05, 0.15, 0.4, 0.7, 0.9, 1.0, 1.0, 1.1,
    1.2, 0.9, 0.8, 0.8, 0.9, 1.1, 1.5, 2.4, 2.9, 2.6, 1.5, 0.6,
)  # fmt: skip
WEEKDAYS = (1.0, 0.95, 1.0, 0.95, 0.9, 1.2, 1.4)

SOURCES = {
    GuestSource.SOCIAL_MEDIA: 42,
    GuestSource.ORGANIC: 27,
    GuestSource.LANDING_PAGE: 20,
    GuestSource.REFERRAL: 11,
}
DEVICES = {DeviceType.MOBILE: 74, DeviceType.DESKTOP: 21, DeviceType.TABLET: 5}
_WEBKIT = "AppleWebKit/537.36 (KHTML, like Gecko)"
_ANDROID = f"{_WEBKIT} Chrome/138.0.0.0 Mobile Safari/537.36"
_IPHONE = "AppleWebKit/605.1.15 (KHTML, like Gecko)"
AGENTS = {
    DeviceType.MOBILE: (
        f"Mozilla/5.0 (Linux; Android 14; SM-A556E) {_ANDROID}",
        f"Mozilla/5.0 (Linux; Android 13; CPH2581) {_ANDROID}",
        f"Mozilla/5.0 (Linux; Android 15; 2409BRN2CA) {_ANDROID}",
        f"Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) {_IPHONE} Version/18.5 "
        "Mobile/15E148 Safari/604.1",
        f"Mozilla/5.0 (iPhone; CPU iPhone OS 17_6 like Mac OS X) {_IPHONE} Mobile/15E148 "
        "Zalo/24.12 iOS",
    ),
    DeviceType.DESKTOP: (
        f"Mozilla/5.0 (Windows NT 10.0; Win64; x64) {_WEBKIT} Chrome/138.0.0.0 Safari/537.36",
        f"Mozilla/5.0 (Windows NT 10.0; Win64; x64) {_WEBKIT} Chrome/137.0.0.0 Safari/537.36 "
        "Edg/137.0.0.0",
        f"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) {_IPHONE} Version/18.5 Safari/605.1.15",
        f"Mozilla/5.0 (Windows NT 10.0; Win64; x64) {_WEBKIT} coc_coc_browser/134.0 "
        "Chrome/128.0.0.0 Safari/537.36",
    ),
    DeviceType.TABLET: (
        f"Mozilla/5.0 (iPad; CPU OS 18_5 like Mac OS X) {_IPHONE} Version/18.5 Mobile/15E148 "
        "Safari/604.1",
        f"Mozilla/5.0 (Linux; Android 14; SM-X216B) {_WEBKIT} Chrome/138.0.0.0 Safari/537.36",
    ),
}
# Set aside for documentation (RFC 5737): nobody's.
NETWORKS = ("192.0.2", "198.51.100", "203.0.113")
PAGES = ("/", "/gioi-thieu", "/khoa-hoc", "/hoc-phi", "/lich-khai-giang", "/giao-vien", "/tin-tuc")
CONTACTS = ("zalo", "zalo", "zalo", "facebook", "phone")


def visits(
    lives: Sequence[Life], *, at: datetime, rng: Random
) -> tuple[list[SessionRow], list[EventRow]]:
    """Rows of exactly EVENTS events and of the sessions they belong to, each in order of time."""
    sessions: list[SessionRow] = []
    events: list[EventRow] = []
    for school, start in _arrivals(lives, at=at, rng=rng):
        session = _session(school, start, rng)
        trail = _trail(school, session, at=at, rng=rng)
        sessions.append(session)
        events.extend(trail[: EVENTS - len(events)])
        if len(events) == EVENTS:
            break
    sessions.sort(key=lambda row: row[3])
    events.sort(key=lambda row: row[6])
    return sessions, events


def _arrivals(
    lives: Sequence[Life], *, at: datetime, rng: Random
) -> Iterator[tuple[School, datetime]]:
    """Guests without end: more for popular schools, on busy days and hours, and as schools grow."""
    today = midnight(at)
    cells: list[tuple[Life, datetime]] = []
    weights: list[float] = []
    for life in lives:
        last = life.closed_at or at
        for age in range(DAYS):
            day = today - timedelta(days=age)
            if day + timedelta(days=1) <= life.born or day > last:
                continue
            growth = 0.4 + (day - midnight(life.born)).days / 60
            cells.append((life, day))
            weights.append(life.school.visitors * growth * WEEKDAYS[day.weekday()])
    cumulative = list(accumulate(weights))
    while True:
        for life, day in rng.choices(cells, cum_weights=cumulative, k=1000):
            hour = rng.choices(range(24), HOURS)[0]
            start = day + timedelta(seconds=hour * 3600 + rng.randrange(3600))
            if life.born < start <= (life.closed_at or at):
                yield life.school, start


def _session(school: School, start: datetime, rng: Random) -> SessionRow:
    source = rng.choices(tuple(SOURCES), tuple(SOURCES.values()))[0]
    device = rng.choices(tuple(DEVICES), tuple(DEVICES.values()))[0]
    return (
        time_ordered_id(start, rng),
        f"gs_{time_ordered_id(start, rng).hex}",
        school.id,
        start,
        start + timedelta(days=1),
        source.value,
        device.value,
        rng.choice(AGENTS[device]),
        f"{rng.choice(NETWORKS)}.{rng.randint(1, 254)}",
    )


def _trail(school: School, session: SessionRow, *, at: datetime, rng: Random) -> list[EventRow]:
    """What one guest does, step by step, as far as it has happened yet."""
    _, session_id, instance_id, moment, *_ = session
    favourite = rng.choice(school.courses)
    trail: list[EventRow] = []
    for step in range(1 + min(int(rng.expovariate(0.265)), 18)):
        if moment > at:
            break
        seconds = 3 + int(rng.lognormvariate(3.3, 0.9))
        course = favourite if rng.random() < 0.7 else rng.choice(school.courses)
        kind, seen, details = _step(step, course, seconds, rng)
        trail.append(
            (
                time_ordered_id(moment, rng),
                session_id,
                instance_id,
                kind.value,
                seen.id_at(school.subdomain) if seen else None,
                seen.name if seen else None,
                moment,
                json.dumps(details, ensure_ascii=False),
            )
        )
        moment += timedelta(seconds=seconds, milliseconds=rng.randrange(1000))
    return trail


def _step(
    step: int, course: Course, seconds: int, rng: Random
) -> tuple[EventType, Course | None, dict[str, str | int]]:
    """A landing first; then courses, and the further a guest goes the likelier a contact."""
    luck = rng.random()
    if step == 0 or luck < 0.42:
        path = "/" if step == 0 and luck < 0.6 else rng.choice(PAGES)
        return EventType.PAGE_VIEW, None, {"path": path, "duration": seconds}
    if luck < 0.86:
        return EventType.COURSE_VIEW, course, {"duration": seconds, "courseCode": course.code}
    if luck < 0.96 or step < 3:
        return EventType.CONTACT_CLICK, None, {"contactMethod": rng.choice(CONTACTS)}
    return EventType.TRIAL_REGISTER, course, {"courseCode": course.code, "fee": course.fee}

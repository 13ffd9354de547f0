"""Branding jobs: waiting, running, done and failed."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from random import Random
from typing import Any

from branding.enums import BrandingStatus
from branding.models import BrandingJob
from kitehub.demo.chance import code, random_id
from kitehub.demo.people import AUTOMATIC
from kitehub.demo.schools import School
from kitehub.demo.subjects import SLOGANS
from kitehub.demo.subscriptions import Life

# What went wrong, and how far the job had come (plan, V5: logo 20 %, pictures 60 %, texts 100 %).
ERRORS = (
    (0, "The logo could not be fetched: HTTP 404."),
    (0, "The logo is not an image: text/html."),
    (20, "The image model refused the request: the logo shows a person's face."),
    (20, "The image model did not answer within 120 seconds (3 attempts)."),
    (60, "The text model returned an answer that is not valid JSON."),
)
# Jobs that are not done yet: their state, progress and age. The last one is stuck.
OPEN = (
    (BrandingStatus.PENDING, 0, timedelta(seconds=40)),
    (BrandingStatus.PENDING, 0, timedelta(minutes=2)),
    (BrandingStatus.PENDING, 0, timedelta(minutes=4)),
    (BrandingStatus.PROCESSING, 20, timedelta(minutes=3)),
    (BrandingStatus.PROCESSING, 60, timedelta(minutes=6)),
    (BrandingStatus.PROCESSING, 20, timedelta(hours=7)),
)


def jobs(lives: Sequence[Life], *, at: datetime, rng: Random) -> list[BrandingJob]:
    """Each school's first branding, failures retried, and some that run now; one is deleted."""
    made: list[BrandingJob] = []
    for index, life in enumerate(lives):
        started = life.born + timedelta(minutes=rng.randint(20, 900))
        if index % 4 == 3:
            failed = _job(life, started, rng)
            _fail(failed, *ERRORS[index // 4 % len(ERRORS)], rng=rng)
            made.append(failed)
            started += timedelta(minutes=rng.randint(8, 90))
            if index % 8 == 3:
                continue
        done = _job(life, started, rng)
        _complete(done, life.school, rng)
        made.append(done)
    made = [job for job in made if job.updated_at <= at]
    running = [life for life in lives if life.closed_at is None and life.school.days > 1]
    for life, (status, progress, age) in zip(running[-len(OPEN) :], OPEN, strict=True):
        made.append(_job(life, at - age, rng, status=status, progress=progress))
    made[0].deleted, made[0].deleted_at = True, made[0].updated_at + timedelta(days=1)
    made[0].updated_at = made[0].deleted_at
    return made


def _job(
    life: Life,
    created: datetime,
    rng: Random,
    *,
    status: BrandingStatus = BrandingStatus.PENDING,
    progress: int = 0,
) -> BrandingJob:
    return BrandingJob(
        id=random_id(rng),
        job_id=f"BR-{code(rng, 10)}",
        instance_id=life.school.id,
        logo_url=f"https://files.kitehub.example/{life.school.subdomain}/logo.png",
        organization_name=life.school.name,
        language="en" if rng.random() < 0.1 else "vi",
        status=status,
        progress_percentage=progress,
        created_at=created,
        updated_at=created + timedelta(seconds=progress * 2),
        created_by=life.owner.email,
        updated_by=AUTOMATIC if progress else life.owner.email,
    )


def _fail(job: BrandingJob, progress: int, message: str, *, rng: Random) -> None:
    job.status, job.progress_percentage, job.error_message = (
        BrandingStatus.FAILED,
        progress,
        message,
    )
    _finish(job, timedelta(seconds=rng.randint(9, 380)))


def _complete(job: BrandingJob, school: School, rng: Random) -> None:
    job.status, job.progress_percentage = BrandingStatus.COMPLETED, 100
    job.generated_assets = _assets(job, school)
    _finish(job, timedelta(seconds=rng.randint(95, 420)))


def _finish(job: BrandingJob, duration: timedelta) -> None:
    job.updated_at = job.created_at + duration
    job.updated_by = AUTOMATIC


def _assets(job: BrandingJob, school: School) -> dict[str, Any]:
    """What the plan's comment names: profile and hero images, logos, banners, marketing copy."""
    base = f"https://files.kitehub.example/{school.subdomain}/{job.job_id.lower()}"
    first, second = school.courses[:2]
    slogan = SLOGANS[school.subject]
    intro = f"{school.name} mở lớp {first.name} và {second.name} ngay trong tháng này."
    if job.language == "en":
        slogan = "Learn well, close to home"
        intro = f"{school.name} opens new classes this month."
    return {
        "profileImages": {"square": f"{base}/profile-512.png", "round": f"{base}/profile.webp"},
        "heroImages": [f"{base}/hero-{number}.webp" for number in (1, 2, 3)],
        "logos": {"light": f"{base}/logo-light.svg", "dark": f"{base}/logo-dark.svg"},
        "banners": [f"{base}/banner-facebook.png", f"{base}/banner-zalo.png"],
        "marketingCopy": {"slogan": slogan, "intro": intro},
    }

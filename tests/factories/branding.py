"""AI branding jobs."""

import factory
from factory.django import DjangoModelFactory

from branding.enums import BrandingStatus
from branding.models import BrandingJob
from tests.factories.kitehub import InstanceFactory


class BrandingJobFactory(DjangoModelFactory[BrandingJob]):
    """A job that waits; with the trait `completed`, one that made a picture."""

    class Meta:
        model = BrandingJob

    class Params:
        completed = factory.Trait(
            status=BrandingStatus.COMPLETED,
            progress_percentage=100,
            generated_assets={"profileImages": {"square": "https://example.vn/logo.png"}},
        )

    job_id = factory.Sequence(lambda n: f"JOB{n:08}")
    instance = factory.SubFactory(InstanceFactory)
    organization_name = factory.SelfAttribute("instance.organization_name")
    status = BrandingStatus.PENDING

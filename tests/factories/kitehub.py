"""Users, instances, instance configs and API keys."""

from datetime import timedelta
from typing import Any

import factory
from django.contrib.sessions.backends.db import SessionStore
from django.utils import timezone
from factory.django import DjangoModelFactory

from kitehub.enums import ApiScope, InstanceStatus, Tier
from kitehub.models import (
    ApiKey,
    ArchiveRun,
    Email,
    Instance,
    InstanceConfig,
    Note,
    SignedInSession,
    Tombstone,
    User,
)
from kitehub.services import api_keys, sessions
from kitehub.tenancy import pool_url


class UserFactory(DjangoModelFactory[User]):
    """A person; given a `password` they can sign in, with the traits `staff` or `superuser`."""

    class Meta:
        model = User

    class Params:
        staff = factory.Trait(is_staff=True)
        superuser = factory.Trait(is_staff=True, is_superuser=True)

    email = factory.Sequence(lambda n: f"nguoi-dung-{n}@example.vn")
    full_name = factory.Sequence(lambda n: f"Nguyễn Văn {n}")

    @classmethod
    def _create(cls, model_class: type[User], *args: Any, **kwargs: Any) -> User:
        return model_class.objects.create_user(*args, **kwargs)


class SignedInSessionFactory(DjangoModelFactory[SignedInSession]):
    """A browser in which somebody is signed in, with Django's row of it."""

    class Meta:
        model = SignedInSession

    user = factory.SubFactory(UserFactory)

    @classmethod
    def _create(cls, model_class: Any, *args: Any, **said: Any) -> Any:
        store = SessionStore()
        store.create()
        digest = sessions.digest_of(store.session_key)
        return super()._create(model_class, *args, key_digest=digest, **said)


class InstanceFactory(DjangoModelFactory[Instance]):
    """A school that has bought its tier; with the trait `trial`, one that still tries it."""

    class Meta:
        model = Instance

    class Params:
        trial = factory.Trait(
            status=InstanceStatus.TRIAL,
            trial_started_at=factory.LazyFunction(timezone.now),
            trial_expires_at=factory.LazyAttribute(
                lambda instance: instance.trial_started_at + timedelta(days=14)
            ),
        )

    subdomain = factory.Sequence(lambda n: f"truong-{n}")
    organization_name = factory.Sequence(lambda n: f"Trung tâm Anh ngữ Sao Mai {n}")
    owner = factory.SubFactory(UserFactory)
    tier = Tier.BASIC
    status = InstanceStatus.ACTIVE
    database_url = factory.LazyFunction(pool_url)
    database_username = "kitehub"
    database_password = "not-a-secret"


class InstanceConfigFactory(DjangoModelFactory[InstanceConfig]):
    """A tier without exceptions."""

    class Meta:
        model = InstanceConfig

    instance_id = factory.Faker("uuid4", cast_to=None)
    tier = Tier.BASIC


class ApiKeyFactory(DjangoModelFactory[ApiKey]):
    """A live key with every scope; whoever needs its text calls the service."""

    class Meta:
        model = ApiKey

    instance = factory.SubFactory(InstanceFactory)
    name = factory.Sequence(lambda n: f"Website {n}")
    scopes = factory.LazyFunction(lambda: list(ApiScope.values))
    actor = "an@kitehub.test"

    @classmethod
    def _create(cls, model_class: type[ApiKey], *args: Any, **kwargs: Any) -> ApiKey:
        return api_keys.issue(*args, **kwargs).key


class TombstoneFactory(DjangoModelFactory[Tombstone]):
    """A school that was closed now, with an archive that nobody made."""

    class Meta:
        model = Tombstone

    instance = factory.SubFactory(InstanceFactory)
    requested_by = "lan@kitehub.test"
    deprovision_at = factory.LazyFunction(lambda: timezone.now() + timedelta(days=30))
    archive_path = factory.Sequence(lambda n: f"/archives/truong-{n}.zip")
    archive_sha256 = "0" * 64


class ArchiveRunFactory(DjangoModelFactory[ArchiveRun]):
    """An import that is done."""

    class Meta:
        model = ArchiveRun

    instance_id = factory.Faker("uuid4", cast_to=None)
    kind = ArchiveRun.Kind.IMPORT
    actor = "lan@kitehub.test"
    archive_sha256 = "0" * 64
    finished_at = factory.LazyFunction(timezone.now)


class EmailFactory(DjangoModelFactory[Email]):
    """A message that waits, and that no job is there for."""

    class Meta:
        model = Email

    recipient = factory.Sequence(lambda n: f"nguoi-nhan-{n}@example.vn")
    reason = factory.Sequence(lambda n: f"test:{n}")
    template = "password_reset"
    language = "vi"
    instance = factory.SubFactory(InstanceFactory)


class NoteFactory(DjangoModelFactory[Note]):
    """A note about a school, or about the row that is given as `about`."""

    class Meta:
        model = Note
        exclude = ("about",)

    about = factory.SubFactory(InstanceFactory)
    table_name = factory.LazyAttribute(lambda o: o.about._meta.db_table)
    row_id = factory.LazyAttribute(lambda o: o.about.pk)
    text = "Khách hẹn chuyển tiền thứ Hai."
    created_by = "lan@kitehub.test"

"""Background jobs and files: none so far. The first of either fails here until it is tried."""

import importlib.util

from django.apps import apps
from django.conf import settings
from django.db.models import FileField

from kitehub.api import api
from tests.kitehub.isolation.conftest import TENANTS

# Modules of tasks, with the tests that try to have them work on another instance's rows.
TASK_PROBES: dict[str, str] = {}
# Storages by their alias in STORAGES, with the tests that try to get at another instance's files.
# The default is Django's, and nothing is kept in it; the static files are everybody's.
FILE_PROBES: dict[str, str] = {"default": "nothing is kept there", "staticfiles": "everybody's"}


def test_every_module_of_tasks_has_its_probe() -> None:
    found = {
        f"{app.name}.tasks"
        for app in apps.get_app_configs()
        if app.name.partition(".")[0] in {"kitehub", "billing", "analytics", "branding", "storage"}
        and importlib.util.find_spec(f"{app.name}.tasks")
    }
    assert found == set(TASK_PROBES)


def test_every_storage_of_files_has_its_probe_and_no_column_leads_to_one() -> None:
    assert set(settings.STORAGES) == set(FILE_PROBES)
    assert [
        f"{model._meta.label}.{field.name}"
        for model in apps.get_models()
        for field in model._meta.get_fields()
        if isinstance(field, FileField)
    ] == []
    assert settings.MEDIA_URL in {"", "/"}, "files that are served need a probe"


def test_no_operation_of_the_api_takes_or_gives_a_file() -> None:
    for bound in api._get_bound_routers():
        for view in bound.path_operations.values():
            for operation in view.operations:
                kinds = {model.__ninja_param_source__ for model in operation.models}
                assert "file" not in kinds, operation.path


def test_there_are_tenants_tables_to_be_tried() -> None:
    assert len(TENANTS) >= 6

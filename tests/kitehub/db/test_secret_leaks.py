"""A database password is nowhere to be seen: repr, logs, dumps, templates, the admin."""

import io
import logging
from pprint import pformat

import pytest
from django.contrib.admin.models import LogEntry
from django.core.management import call_command
from django.db import connection, transaction
from django.forms import BaseForm, MultiWidget, modelform_factory
from django.forms.models import model_to_dict
from django.template import Context, Template
from django.test import Client
from django.urls import reverse

from kitehub.db.secrets import MASK, Secret, UnreadableSecret
from kitehub.models import Instance
from tests.factories.kitehub import InstanceFactory
from tests.kitehub.db.sealed import NEW, OLD, store, stored

PASSWORD = "kho-du-lieu-2026"


@pytest.fixture(autouse=True)
def keys(settings, db, monkeypatch):
    settings.KITEHUB_FIELD_KEYS = [OLD]
    # A dump that fails would leave one behind, which is closed in some later test's transaction.
    monkeypatch.setitem(connection.settings_dict, "DISABLE_SERVER_SIDE_CURSORS", True)


@pytest.fixture
def school() -> Instance:
    return InstanceFactory(database_password=PASSWORD, subdomain="sao-mai")


def test_text_forms_show_a_mask(school: Instance) -> None:
    secret = Secret(PASSWORD)
    for value in (secret, school.database_password, Instance.objects.get().database_password):
        assert str(value) == f"{value}" == "%s" % value == MASK  # noqa: UP031
        assert repr(value) == f"Secret('{MASK}')"
    for value in (vars(school), Instance.objects.values(), model_to_dict(school), [secret]):
        assert PASSWORD not in pformat(value)
        assert PASSWORD not in repr(value)
    with pytest.raises(TypeError):
        vars(secret)


def test_a_template_cannot_reveal_it(school: Instance) -> None:
    template = Template("[{{ it.database_password }}|{{ it.database_password.reveal }}]")
    assert template.render(Context({"it": school})) == f"[{MASK}|]"


def test_no_form_takes_it() -> None:
    form = modelform_factory(Instance, exclude=[])
    assert "subdomain" in form.base_fields
    assert "database_password" not in form.base_fields


# --- Logs


def test_the_log_of_queries_holds_tokens_only(school: Instance, caplog, settings) -> None:
    connection.force_debug_cursor = True
    try:
        with caplog.at_level(logging.DEBUG, logger="django.db.backends"):
            school.database_password = PASSWORD + "-neu"
            school.save()
            Instance.objects.update(database_password=PASSWORD)
            Instance.objects.bulk_update([school], ["database_password"])
            logging.getLogger("django.db.backends").debug("%s %r", school.database_password, school)
    finally:
        connection.force_debug_cursor = False
    said = caplog.text + repr([vars(record) for record in caplog.records])
    assert stored(school) in said
    assert PASSWORD not in said
    assert not any(PASSWORD in query["sql"] for query in connection.queries)


# --- Dumps


@pytest.mark.parametrize("form", ["json", "jsonl", "xml"])
def test_a_dump_holds_the_token_and_loads_again(form: str, school: Instance, tmp_path) -> None:
    file = tmp_path / f"schools.{form}"
    call_command("dumpdata", "kitehub.instance", format=form, output=str(file), verbosity=0)
    assert PASSWORD not in file.read_text()
    before = stored(school)
    assert before in file.read_text()
    Instance._base_manager.filter(pk=school.pk)._raw_delete("default")
    call_command("loaddata", str(file), verbosity=0)
    assert stored(school) == before
    assert Instance.objects.get().database_password.reveal() == PASSWORD


def test_a_dump_of_plain_text_is_refused(school: Instance) -> None:
    store(school, PASSWORD)
    out = io.StringIO()
    with pytest.raises(Exception, match="is not encrypted") as error:
        call_command("dumpdata", "kitehub.instance", stdout=out)
    assert PASSWORD not in out.getvalue() + str(error.value)


def test_a_dump_does_not_load_where_its_key_is_missing(
    school: Instance, tmp_path, settings
) -> None:
    file = tmp_path / "schools.json"
    call_command("dumpdata", "kitehub.instance", output=str(file), verbosity=0)
    settings.KITEHUB_FIELD_KEYS = [NEW]
    with transaction.atomic(), pytest.raises(UnreadableSecret, match=str(school.pk)):
        call_command("loaddata", str(file), verbosity=0)


def test_a_fixture_written_by_hand_is_encrypted_as_it_is_loaded(school: Instance, tmp_path) -> None:
    file = tmp_path / "schools.json"
    call_command("dumpdata", "kitehub.instance", output=str(file), verbosity=0)
    file.write_text(file.read_text().replace(stored(school), "by hand"))
    call_command("loaddata", str(file), verbosity=0)
    assert stored(school).startswith("gAAAAA")
    assert Instance.objects.get().database_password.reveal() == "by hand"


# --- The admin


def as_typed(form: BaseForm) -> dict[str, str]:
    """What a browser sends of a form that nobody touched."""
    typed = {}
    for bound in form:
        widget, value = bound.field.widget, bound.value()
        parts = widget.decompress(value) if isinstance(widget, MultiWidget) else [value]
        for number, part in enumerate(parts):
            name = f"{bound.html_name}_{number}" if isinstance(widget, MultiWidget) else bound.name
            typed[name] = "" if part is None else str(part)
    return typed


def test_the_admin_saves_a_school_and_keeps_its_password_out_of_history(
    school: Instance, back_office: Client
) -> None:
    change = reverse("admin:kitehub_instance_change", args=[school.pk])
    before = stored(school)
    page = back_office.get(change)
    form = page.context["adminform"].form
    assert not [name for name in form.fields if name.startswith("database")]
    typed = as_typed(form) | {"organization_name": "Sao Mai 2", "database_password": "smuggled"}
    answer = back_office.post(change, typed)
    assert answer.status_code == 302, answer.context["adminform"].form.errors
    school.refresh_from_db()
    assert (school.organization_name, stored(school)) == ("Sao Mai 2", before)
    told = "".join(LogEntry.objects.values_list("change_message", flat=True))
    pages = told + back_office.get(change).content.decode()
    pages += back_office.get(reverse("admin:kitehub_instance_changelist")).content.decode()
    assert "Sao Mai 2" in pages
    assert not [text for text in (PASSWORD, before, "smuggled") if text in pages]


@pytest.mark.parametrize("lookup", ["", "__startswith", "__gt", "__regex", "__in"])
def test_the_address_of_a_list_cannot_ask_for_it(
    lookup: str, school: Instance, back_office: Client
) -> None:
    url = reverse("admin:kitehub_instance_changelist")
    answer = back_office.get(url, {f"database_password{lookup}": stored(school)})
    assert answer.status_code == 302
    assert answer.url.endswith("?e=1")


def test_a_lost_key_breaks_no_list(school: Instance, back_office: Client, settings) -> None:
    settings.KITEHUB_FIELD_KEYS = [NEW]
    for name, args in (("changelist", []), ("change", [school.pk]), ("history", [school.pk])):
        page = back_office.get(reverse(f"admin:kitehub_instance_{name}", args=args))
        assert page.status_code == 200

"""The reader that finds the strings misses none and takes none that is no string."""

from pathlib import Path

import polib
import pytest

from tests.kitehub.catalogues import message_of, renewed
from tests.kitehub.gettext_strings import Message, NotLiteral, js_messages_in, messages_in


def _write(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def test_python_is_read_through_aliases_contexts_and_plurals(tmp_path: Path) -> None:
    _write(
        tmp_path,
        "views.py",
        "from django.utils import translation\n"
        "from django.utils.translation import gettext_lazy as _, npgettext, ngettext_lazy as n\n"
        "a = _('one ' 'string')\n"
        "b = f\"{_('inside')} x\"\n"
        "c = n('%(n)d day', '%(n)d days', 'n')\n"
        "d = npgettext('money', 'note', 'notes', 2)\n"
        "e = translation.pgettext('month', 'May')\n"
        "f = _(a)\n"
        "def unrelated(_x): return list('not marked')\n",
    )
    assert set(messages_in(tmp_path)) == {
        Message("one string"),
        Message("inside"),
        Message("%(n)d day", "%(n)d days"),
        Message("note", "notes", "money"),
        Message("May", context="month"),
    }


@pytest.mark.parametrize("argument", ["f'{x} paid'", "'%s paid' % x", "'{} paid'.format(x)"])
def test_text_built_before_it_is_translated_is_refused(tmp_path: Path, argument: str) -> None:
    path = _write(tmp_path, "a.py", f"from django.utils.translation import gettext\n\n{argument}\n")
    assert messages_in(tmp_path) == {}
    source = path.read_text(encoding="utf-8")
    path.write_text(source.replace(argument, f"gettext({argument})"), encoding="utf-8")
    with pytest.raises(NotLiteral, match=r"a\.py:3"):
        messages_in(tmp_path)


def test_templates_are_read_as_the_engine_looks_them_up(tmp_path: Path) -> None:
    _write(
        tmp_path,
        "templates/page.html",
        "{% load i18n %}<p>it's (not) marked</p>\n"
        "{% translate 'Save' context 'button' %}{% trans \"100% (sure)\" as sure %}\n"
        "{% blocktranslate trimmed count n=days %}\n  {{ n }} day\n{% plural %}\n"
        "  {{ n }} days\n{% endblocktranslate %}\n"
        "{% include 'x.html' with title=_('Title') %}{{ value|default:_('none') }}\n"
        "{# {% trans 'commented out' %} #}\n",
    )
    found = messages_in(tmp_path)
    assert set(found) == {
        Message("Save", context="button"),
        Message("100%% (sure)"),
        Message("%(n)s day", "%(n)s days"),
        Message("Title"),
        Message("none"),
    }
    assert found[Message("Title")] == [f"{tmp_path}/templates/page.html:8"]


def test_text_files_count_only_as_templates(tmp_path: Path) -> None:
    _write(tmp_path, "templates/mail.txt", "{% load i18n %}{% trans 'Hello' %}")
    _write(tmp_path, "notes.txt", "{% trans 'Nobody sees this' %}")
    assert set(messages_in(tmp_path)) == {Message("Hello")}


def test_scripts_are_read(tmp_path: Path) -> None:
    _write(
        tmp_path,
        "app.js",
        "x = gettext(\n  'It\\'s done'\n); y = ngettext('%s row', '%s rows', n);\n"
        "z = pgettext('day', \"S\"); w = gettext_noop('later'); gettext(variable);\n",
    )
    assert set(js_messages_in(tmp_path)) == {
        Message("It's done"),
        Message("%s row", "%s rows"),
        Message("S", context="day"),
        Message("later"),
    }


def test_skipped_folders_are_not_read(tmp_path: Path) -> None:
    _write(tmp_path, "unused/templates/a.html", "{% load i18n %}{% trans 'A' %}")
    assert messages_in(tmp_path, skip=[tmp_path / "unused"]) == {}


def test_renewing_keeps_translations_adds_empty_ones_and_drops_the_rest() -> None:
    old = polib.POFile()
    old.append(polib.POEntry(msgid="Paid", msgstr="Đã trả", tcomment="a note"))
    old.append(polib.POEntry(msgid="Gone", msgstr="Đã bỏ"))
    asked = {
        Message("Paid"): ["/a/billing/admin.py:9"],
        Message("Save"): ["/a/billing/admin.py:3", "/a/billing/admin.py:7"],
        Message("%d order", "%d orders"): ["/a/billing/views.py:1"],
    }
    new = renewed(
        old, asked=asked, needed=asked, hints={Message("Save"): "Lưu", Message("Paid"): "x"}
    )
    entries = {message_of(entry): entry for entry in new}
    assert set(entries) == set(asked)
    paid, save = entries[Message("Paid")], entries[Message("Save")]
    assert (paid.msgstr, paid.tcomment, paid.comment) == ("Đã trả", "a note", "")
    assert (save.msgstr, save.comment) == ("", "Elsewhere: Lưu")
    assert save.occurrences == [("/a/billing/admin.py", "")]
    assert entries[Message("%d order", "%d orders")].msgstr_plural == {0: ""}


def test_renewing_does_not_add_what_the_frameworks_say_well() -> None:
    asked = {Message("Yes"): ["/a/b.py:1"], Message("Run"): ["/a/b.py:2"]}
    needed = {Message("Run"): ["/a/b.py:2"]}
    new = renewed(polib.POFile(), asked=asked, needed=needed, hints={})
    assert [entry.msgid for entry in new] == ["Run"]

"""Nothing a person sees in Vietnamese is English, and the catalogues are what Django reads."""

import json
import re
import unicodedata
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import polib
import pytest
from django.conf import settings
from django.test import Client, RequestFactory
from django.urls import reverse
from django.utils import translation
from django.views.i18n import JSONCatalog

from kitehub.models import Instance
from tests.kitehub.catalogues import (
    CATALOGUES,
    PLACEHOLDER,
    Catalogue,
    framework_messages,
    framework_vietnamese,
    message_of,
    our_messages,
    texts_of,
)
from tests.kitehub.gettext_strings import Found, Message

# The msgids whose Vietnamese is the same, and why.
SAME_IN_BOTH = {
    "Email": "the Vietnamese word for it",
    "URL": "the Vietnamese word for it",
    "Video": "the Vietnamese word for it",
    "logo": "the Vietnamese word for it",
    "ID": "the Vietnamese word for it",
    "PDF": "a format's name",
    "IPv4": "a protocol's name",
    "IPv6": "a protocol's name",
    "%(class_name)s %(instance)s": "a kind of thing and its name, in this order in both",
    "%(size)d byte": "a unit",
    "%s KB": "a unit",
    "%s MB": "a unit",
    "%s GB": "a unit",
    "%s TB": "a unit",
    "%s PB": "a unit",
    "%(truncated_text)s…": "punctuation",
    "…": "punctuation",
    ", ": "punctuation",
    ":": "punctuation",
    ":?.!": "punctuation",
}
# Tone marks stand where Django's Vietnamese has them (xóa, hủy), not on the last vowel (xoá, huỷ).
OTHER_TONE_STYLE = re.compile(r"(?:o[áàảãạéèẻẽẹ]|(?<!q)u[ýỳỷỹỵ])(?!\w)", re.IGNORECASE)
LOCALE = Path(__file__).resolve().parents[2] / "kitehub" / "locale"
PO_FILES = sorted(LOCALE.rglob("*.po"))


def _shown(message: Message, language: str) -> str:
    with translation.override(language):
        if message.context and message.plural:
            return translation.npgettext(message.context, message.msgid, message.plural, 1)
        if message.context:
            return translation.pgettext(message.context, message.msgid)
        if message.plural:
            return translation.ngettext(message.msgid, message.plural, 1)
        return translation.gettext(message.msgid)


@cache
def _served_to_javascript() -> dict[str, str | list[str]]:
    """The catalogue that the admin sends to the browser."""
    view = JSONCatalog.as_view(packages=["django.contrib.admin"])
    with translation.override("vi"):
        content = json.loads(view(RequestFactory().get("/")).content)
    catalogue: dict[str, str | list[str]] = content["catalog"]
    return catalogue


def _shown_by_script(message: Message) -> str:
    key = f"{message.context}\x04{message.msgid}" if message.context else message.msgid
    text = _served_to_javascript().get(key, message.msgid)
    return text[0] if isinstance(text, list) else text


def _in_english(found: Found, *, js: bool = False) -> list[str]:
    return [
        f"{message.msgid!r} in {places[0]}"
        for message, places in found.items()
        if message.msgid not in SAME_IN_BOTH
        and message.msgid == (_shown_by_script(message) if js else _shown(message, "vi"))
    ]


def _entries(path: Path) -> Iterator[polib.POEntry]:
    yield from polib.pofile(str(path), encoding="utf-8")


def test_frameworks_leave_nothing_in_english() -> None:
    found = framework_messages()
    assert Message("Apply Filters") in found, "unfold's templates were read"
    assert Message("Select record") in found, "unfold's Python was read"
    assert len(found) > 500
    assert _in_english(found) == []


def test_framework_scripts_leave_nothing_in_english() -> None:
    found = framework_messages(js=True)
    assert Message("Mon", context="abbrev. day Monday") in found
    assert _in_english(found, js=True) == []


def test_our_apps_leave_nothing_in_english() -> None:
    assert our_messages(), "our own apps mark their strings"
    english = _in_english(our_messages()) + _in_english(our_messages(js=True), js=True)
    assert not english, "python -m tests.kitehub.catalogues adds these:\n" + "\n".join(english)


def test_english_is_not_made_vietnamese() -> None:
    """The default language is no fallback for the other one."""
    asked = framework_messages() | our_messages()
    assert [text for text in asked if _shown(text, "en") != text.msgid] == []


def test_exceptions_are_still_asked_for() -> None:
    asked = {message.msgid for message in framework_messages() | our_messages()}
    assert set(SAME_IN_BOTH) - asked == set()


@pytest.mark.parametrize("catalogue", CATALOGUES, ids=lambda it: str(it.path.relative_to(LOCALE)))
def test_catalogue_holds_nothing_that_nobody_asks_for(catalogue: Catalogue) -> None:
    asked = catalogue.asked()
    assert [entry.msgid for entry in catalogue.read() if message_of(entry) not in asked] == []


@pytest.mark.parametrize("js", [False, True], ids=["django", "djangojs"])
def test_one_msgid_never_means_two_things(js: bool) -> None:
    """Ours would change Django's pages as well; a word with two meanings needs a context."""
    theirs, asked = framework_vietnamese(js=js), framework_messages(js=js)
    assert [
        (entry.msgid, texts_of(entry)[0], theirs[message_of(entry)])
        for entry in Catalogue(ours=True, js=js).read()
        if message_of(entry) in asked and texts_of(entry)[0] not in {"", theirs[message_of(entry)]}
    ] == []


def test_third_party_catalogue_is_in_use() -> None:
    assert LOCALE / "third_party" in map(Path, settings.LOCALE_PATHS)
    assert len(PO_FILES) >= 2


@pytest.mark.parametrize("path", PO_FILES, ids=lambda path: str(path.relative_to(LOCALE)))
class TestCatalogueFile:
    def test_every_entry_is_translated(self, path: Path) -> None:
        assert [
            entry.msgid
            for entry in _entries(path)
            if entry.fuzzy or entry.obsolete or not all(texts_of(entry)) or not texts_of(entry)
        ] == []

    def test_no_entry_stands_twice(self, path: Path) -> None:
        keys = [(entry.msgctxt, entry.msgid) for entry in _entries(path)]
        assert len(keys) == len(set(keys))

    def test_compiled_file_is_up_to_date(self, path: Path) -> None:
        compiled = polib.mofile(str(path.with_suffix(".mo")))
        assert {message_of(entry): texts_of(entry) for entry in compiled} == {
            message_of(entry): texts_of(entry) for entry in _entries(path)
        }

    def test_vietnamese_has_one_plural_form(self, path: Path) -> None:
        header = polib.pofile(str(path)).metadata
        assert header["Plural-Forms"] == "nplurals=1; plural=0;"
        assert all(len(texts_of(entry)) == 1 for entry in _entries(path))

    def test_placeholders_and_markup_survive(self, path: Path) -> None:
        assert [
            (entry.msgid, text)
            for entry in _entries(path)
            for text in texts_of(entry)
            if _skeleton(text) != _skeleton(entry.msgid_plural or entry.msgid)
        ] == []

    def test_edges_are_kept(self, path: Path) -> None:
        """Spaces around the text, and how its last sentence ends."""
        assert [
            (entry.msgid, text)
            for entry in _entries(path)
            for text in texts_of(entry)
            if " " in entry.msgid  # A single word may be "Aug." or "p.m."
            and _edges(text) != _edges(entry.msgid_plural or entry.msgid)
        ] == []


def test_spelling_is_of_one_style() -> None:
    shown = [_shown(message, "vi") for message in framework_messages() | our_messages()]
    shown += [_shown_by_script(message) for message in framework_messages(js=True)]
    assert [text for text in shown if OTHER_TONE_STYLE.search(text)] == []
    assert [text for text in shown if re.search(r"\S  ", text)] == [], "doubled spaces"
    # A letter and its accent as two characters would not be found by a search.
    assert [text for text in shown if not unicodedata.is_normalized("NFC", text)] == []


def test_a_field_of_a_form_has_not_the_name_of_a_school() -> None:
    """Schools are "trường học", and Django's word for a field is "trường" too."""
    shown = [_shown(message, "vi") for message in framework_messages()]
    shown += [_shown_by_script(message) for message in framework_messages(js=True)]
    # But "trường hợp" is a case.
    assert [text for text in shown if re.search(r"trường(?! hợp)", text.lower())] == []
    with translation.override("vi"):
        assert Instance._meta.verbose_name == "trường học"


def test_a_receipt_is_no_cash_receipt() -> None:
    """A "phiếu thu" is of cash, and has rules of its own; ours is a "biên nhận"."""
    shown = [_shown(message, "vi") for message in our_messages()]
    assert [text for text in shown if "phiếu thu" in text.lower()] == []


def test_one_thing_has_one_name() -> None:
    """A mail, a superuser and resuming: each word of English has one of Vietnamese."""
    shown = {message.msgid: _shown(message, "vi") for message in our_messages()}
    other = re.compile(r"e-mail|\bthư\b(?! mục| rác)|CHƯA ĐỦ", re.IGNORECASE)
    assert [text for text in shown.values() if other.search(text)] == []
    names = {
        r"superuser(?! run)": "quản trị viên cấp cao",
        r"\bresume(?!s)": "hoạt động lại",
        r"^(?:task|number, task)\b": "loại tác vụ",
        r"\bdiscard": "loại",
    }
    wrong = [
        (msgid, text)
        for english, name in names.items()
        for msgid, text in shown.items()
        if re.search(english, msgid, re.IGNORECASE) and name not in text.lower()
    ]
    assert wrong == []


def test_no_blank_stands_before_a_percent_sign() -> None:
    both = [_shown(message, language) for message in our_messages() for language in ("vi", "en")]
    assert [text for text in both if re.search(r"\d\s%", text)] == []


def _skeleton(text: str) -> tuple[set[str], list[str], list[str]]:
    """What a translation may not change: named fields, the order of unnamed ones, the tags."""
    fields = PLACEHOLDER.findall(text.replace("%%", ""))
    named = {field for field in fields if len(field) > 2}
    return named, [field for field in fields if len(field) == 2], re.findall(r"<[^>]+>", text)


def _edges(text: str) -> tuple[str, str, str]:
    """The space before a text, how its last sentence ends, and the space after it."""
    core = text.strip()
    end = re.sub(r"[”“\"]", "", core.replace("...", "…"))[-1:]
    before, after = text[: len(text) - len(text.lstrip())], text[len(text.rstrip()) :]
    return before, end if end in ".:?!…" else "", after


@pytest.mark.parametrize("time", ["first", "again"])
@pytest.mark.django_db
def test_page_in_english_leaves_no_other_test_in_english(client: Client, time: str) -> None:
    assert translation.get_language() == "vi"
    client.cookies["django_language"] = "en"
    assert client.get(reverse("admin:login")).status_code == 200
    assert translation.get_language() == "en"

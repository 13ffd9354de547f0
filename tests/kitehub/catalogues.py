"""The Vietnamese catalogues: what each must hold, and the program that keeps them so.

    python -m tests.kitehub.catalogues

reads the source, and for each catalogue under `kitehub/locale`

- adds the strings that lack Vietnamese, with an empty msgstr for a person to fill in; where the
  frameworks have the same English, a comment says how it reads elsewhere,
- drops the strings that nobody asks for any more,
- compiles the `.mo` that Django reads.

It needs no gettext tools. Run it again once the empty msgstr are filled in; `test_locale.py` fails
while one is missing. `kitehub/locale/vi` is for the strings of our own apps. Its sibling
`third_party/vi` is for Django and its extensions: what they leave in English, and what they say
better in our words; an entry there overrides the framework's own.
"""

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import polib
from django.apps import apps
from django.conf import settings

from tests.kitehub.gettext_strings import Found, Message, js_messages_in, messages_in

HEADER = {
    "Project-Id-Version": "KiteHub",
    "Language": "vi",
    "MIME-Version": "1.0",
    "Content-Type": "text/plain; charset=UTF-8",
    "Content-Transfer-Encoding": "8bit",
    "Plural-Forms": "nplurals=1; plural=0;",
}
PLACEHOLDER = re.compile(r"%(?:\(\w+\))?[sdr]|\{\w*\}")
# Not an installed app yet; its editor widgets are translated so that they can be used.
ALSO_TRANSLATED = ("unfold.contrib.forms",)


def our_folders() -> list[Path]:
    """The folders of the project's own apps."""
    # An app within another one is read with it.
    return [path for path in _app_folders() if path.parent == settings.BASE_DIR]


@cache
def our_messages(*, js: bool = False) -> Found:
    """What our own apps show to people."""
    return (js_messages_in if js else messages_in)(*our_folders())


@cache
def framework_messages(*, js: bool = False) -> Found:
    """What Django and the other installed apps show to people.

    Left out are the names of the world's languages and Django's pages for developers.
    """
    used = [path for path in _app_folders() if not _within(path, our_folders())]
    django, *extensions = (_package(name) for name in ("django", *ALSO_TRANSLATED))
    unused = {
        path.parent
        for folder in {django, *used}
        for path in folder.rglob("apps.py")
        if path.parent not in {*used, *extensions}
    }
    unused |= {django / "conf", django / "views" / "templates"}
    return (js_messages_in if js else messages_in)(django, *used, *extensions, skip=unused)


def _within(path: Path, folders: list[Path]) -> bool:
    return any(path.is_relative_to(folder) for folder in folders)


@cache
def shipped(*, js: bool = False) -> dict[Message, str]:
    """What the frameworks bring in Vietnamese themselves."""
    known: dict[Message, str] = {}
    for folder in (*_app_folders(), _package("django") / "conf"):
        path = folder / "locale" / "vi" / "LC_MESSAGES" / f"{_domain(js)}.mo"
        if path.exists() and folder not in our_folders():
            for entry in polib.mofile(str(path)):
                known.setdefault(message_of(entry), texts_of(entry)[0])
    return known


def message_of(entry: polib.POEntry | polib.MOEntry) -> Message:
    """What gettext must be asked for to get this entry."""
    return Message(entry.msgid, entry.msgid_plural or "", entry.msgctxt or "")


def texts_of(entry: polib.POEntry | polib.MOEntry) -> list[str]:
    """The translations of an entry: one, or one for each plural form."""
    return list(entry.msgstr_plural.values()) if entry.msgid_plural else [entry.msgstr]


@dataclass(frozen=True)
class Catalogue:
    """One `.po` under `kitehub/locale`, with its `.mo` beside it."""

    ours: bool
    js: bool

    @property
    def path(self) -> Path:
        """The `.po`; our own need not exist where our apps have no strings."""
        locale = settings.BASE_DIR / "kitehub" / "locale"
        folder = locale if self.ours else locale / "third_party"
        return Path(folder / "vi" / "LC_MESSAGES" / f"{_domain(self.js)}.po")

    def asked(self) -> Found:
        """Every string that may stand in it, and who asks for it."""
        found = (our_messages if self.ours else framework_messages)(js=self.js)
        # gettext finds a plural entry by its singular too; a second entry would be an error.
        plurals = {(message.msgid, message.context) for message in found if message.plural}
        return {
            message: places
            for message, places in found.items()
            if message.plural or (message.msgid, message.context) not in plurals
        }

    def needed(self) -> Found:
        """Every string that must stand in it."""
        if self.ours:
            return self.asked()
        known = shipped(js=self.js)
        return {message: at for message, at in self.asked().items() if message not in known}

    def read(self) -> polib.POFile:
        """The catalogue as it is on disk; an empty one where there is none."""
        if self.path.exists():
            return polib.pofile(str(self.path), encoding="utf-8")
        return polib.POFile(encoding="utf-8")

    def update(self) -> tuple[int, int]:
        """Adds what is needed, drops what nobody asks for, compiles; returns how many of each."""
        old = self.read()
        hints = framework_vietnamese(js=self.js) if self.ours else {}
        new = renewed(old, asked=self.asked(), needed=self.needed(), hints=hints)
        if new or self.path.exists():
            self.path.parent.mkdir(parents=True, exist_ok=True)
            new.save(str(self.path))
            new.save_as_mofile(str(self.path.with_suffix(".mo")))
        before, after = ({message_of(entry) for entry in catalogue} for catalogue in (old, new))
        return len(after - before), len(before - after)


def framework_vietnamese(*, js: bool = False) -> dict[Message, str]:
    """What the frameworks say in Vietnamese, our corrections included."""
    corrected = Catalogue(ours=False, js=js).read()
    return shipped(js=js) | {message_of(entry): texts_of(entry)[0] for entry in corrected}


CATALOGUES = [Catalogue(ours=ours, js=js) for ours in (True, False) for js in (False, True)]


def renewed(
    old: polib.POFile, *, asked: Found, needed: Found, hints: dict[Message, str]
) -> polib.POFile:
    """Makes a catalogue of what is needed and of what `old` has and is still asked for.

    What is new has an empty msgstr, and until that is filled in, what `hints` has as a comment.
    """
    had = {message_of(entry): entry for entry in old if not entry.obsolete}
    new = polib.POFile(encoding="utf-8", wrapwidth=100)
    new.metadata = HEADER
    for message in sorted(asked):
        if message in had or message in needed:
            new.append(_entry(message, asked[message], had.get(message), hints.get(message, "")))
    return new


def _domain(js: bool) -> str:
    return "djangojs" if js else "django"


def _app_folders() -> list[Path]:
    return [Path(config.path) for config in apps.get_app_configs()]


def _package(name: str) -> Path:
    """The folder of an importable package."""
    module = __import__(name, fromlist=["__path__"])
    return Path(next(iter(module.__path__)))


def _entry(
    message: Message, places: list[str], old: polib.POEntry | None, hint: str
) -> polib.POEntry:
    """A catalogue's entry: the translation there was, and who asks for it now."""
    translated = old is not None and all(texts_of(old))
    return polib.POEntry(
        msgid=message.msgid,
        msgid_plural=message.plural,
        msgctxt=message.context or None,
        msgstr=old.msgstr if old else "",
        msgstr_plural=(old.msgstr_plural if old else {0: ""}) if message.plural else {},
        tcomment=old.tcomment if old else "",
        comment=f"Elsewhere: {hint}" if hint and not translated else "",
        occurrences=[(source, "") for source in sorted(set(_sources(places)))],
        flags=["python-format"] if re.search(r"%(\(\w+\))?[sdr]", message.msgid) else [],
    )


def _sources(places: list[str]) -> Iterator[str]:
    """The files that ask, without lines: they would change with every edit above them."""
    for place in places:
        path = Path(place.rpartition(":")[0])
        parts = path.parts
        if "site-packages" in parts:
            yield "/".join(parts[parts.index("site-packages") + 1 :])
        elif path.is_relative_to(settings.BASE_DIR):
            yield path.relative_to(settings.BASE_DIR).as_posix()
        else:
            yield path.as_posix()


def main() -> None:
    """Brings every catalogue up to date and says what is left to translate."""
    for catalogue in CATALOGUES:
        added, dropped = catalogue.update()
        if catalogue.path.exists():
            name = catalogue.path.relative_to(settings.BASE_DIR)
            empty = sum(not all(texts_of(entry)) for entry in catalogue.read())
            print(f"{name}: {added} added, {dropped} dropped, {empty} to translate")


if __name__ == "__main__":
    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "kitehub.settings")
    django.setup()
    main()

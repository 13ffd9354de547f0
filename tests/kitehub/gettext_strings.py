"""The strings a package marks for translation, read from its source without the gettext tools.

Python is read with `ast`, so an import's alias is followed and no call is missed for the way it is
wrapped. Templates pass through Django's own `templatize`, so an msgid is spelled as the template
engine will look it up. JavaScript has no parser here; a pattern finds its calls.
"""

import ast
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from django.utils.translation.template import templatize

# What each marker's arguments are, in order.
MARKERS = {
    "gettext": ("msgid",),
    "gettext_lazy": ("msgid",),
    "gettext_noop": ("msgid",),
    "ngettext": ("msgid", "plural"),
    "ngettext_lazy": ("msgid", "plural"),
    "pgettext": ("context", "msgid"),
    "pgettext_lazy": ("context", "msgid"),
    "npgettext": ("context", "msgid", "plural"),
    "npgettext_lazy": ("context", "msgid", "plural"),
}
# `templatize` writes `_` for a string that is given to a tag or a filter.
TEMPLATE_NAMES = {name: name for name in MARKERS} | {"_": "gettext"}
TEMPLATE_CALL = re.compile(r"(?<![\w.])(?:n?p?gettext|_)\(")
MODULES = {"django.utils.translation", "django.utils.translation.trans_real"}
JS_STRING = r"""\s*("(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*')"""
JS_CALL = re.compile(
    rf"(?<![\w.])(n?p?gettext)(?:_noop)?\({JS_STRING}(?:\s*,{JS_STRING})?(?:\s*,{JS_STRING})?"
)


class NotLiteral(Exception):
    """A marker was given text that no catalogue can hold, such as an f-string."""


@dataclass(frozen=True, order=True)
class Message:
    """What gettext is asked for."""

    msgid: str
    plural: str = ""
    context: str = ""


Found = dict[Message, list[str]]
"""Each message, with the places that ask for it as `path:line`."""


def messages_in(*folders: Path, skip: Iterable[Path] = ()) -> Found:
    """Finds what the Python and the templates under `folders` show to people.

    Raises NotLiteral, naming file and line, where text is built before it is translated.
    """
    found: Found = {}
    for path in _files(folders, skip, {".py", ".html", ".txt"}):
        read = _from_python if path.suffix == ".py" else _from_template
        for line, message in read(path.read_text(encoding="utf-8"), path):
            found.setdefault(message, []).append(f"{path}:{line}")
    return found


def js_messages_in(*folders: Path, skip: Iterable[Path] = ()) -> Found:
    """Finds what the JavaScript under `folders` shows to people."""
    found: Found = {}
    for path in _files(folders, skip, {".js"}):
        source = path.read_text(encoding="utf-8")
        for call in JS_CALL.finditer(source):
            marker, *quoted = call.groups()
            texts = [ast.literal_eval(text) for text in quoted if text]
            message = Message(**dict(zip(MARKERS[marker], texts, strict=False)))
            found.setdefault(message, []).append(f"{path}:{_line(source, call.start())}")
    return found


def _files(folders: Iterable[Path], skip: Iterable[Path], suffixes: set[str]) -> Iterator[Path]:
    """The files to read, in a stable order, each once."""
    skipped = tuple(skip)
    for path in sorted({path for folder in folders for path in folder.rglob("*.*")}):
        # A text file is a template only where templates are.
        kind = path.suffix in suffixes and (path.suffix != ".txt" or "templates" in path.parts)
        if kind and not any(path.is_relative_to(folder) for folder in skipped):
            yield path


def _line(source: str, position: int) -> int:
    return source.count("\n", 0, position) + 1


def _from_python(source: str, path: Path) -> Iterator[tuple[int, Message]]:
    """The messages of one Python file, with their lines."""
    if "gettext" not in source:  # Every marker's import says it; parsing is slow.
        return
    tree = ast.parse(source, filename=str(path))
    names = dict(_imported_markers(tree))
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        marker = _marker(node.func, names)
        # What is looked up by a variable was marked elsewhere.
        if marker and not any(map(_is_variable, node.args[: len(MARKERS[marker])])):
            yield node.lineno, _message(node, marker, f"{path}:{node.lineno}")


def _imported_markers(tree: ast.Module) -> Iterator[tuple[str, str]]:
    """The names a file gives to the markers, each with the marker's own name."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module in MODULES:
            for alias in node.names:
                if alias.name in MARKERS:
                    yield alias.asname or alias.name, alias.name


def _marker(function: ast.expr, names: dict[str, str]) -> str | None:
    """The marker that is called, or None for any other function."""
    if isinstance(function, ast.Name):
        return names.get(function.id)
    if isinstance(function, ast.Attribute) and function.attr in MARKERS:
        return function.attr
    return None


def _is_variable(node: ast.expr) -> bool:
    """Whether an argument holds no text of its own: a name, an item, what a function returns."""
    if isinstance(node, ast.Call):
        return _is_variable(node.func)
    if isinstance(node, ast.Attribute | ast.Subscript | ast.Starred):
        return _is_variable(node.value)
    return isinstance(node, ast.Name)


def _message(call: ast.Call, marker: str, place: str) -> Message:
    """What a marker's call asks for."""
    named: dict[str, str] = {}
    for name, argument in zip(MARKERS[marker], call.args, strict=False):
        if not (isinstance(argument, ast.Constant) and isinstance(argument.value, str)):
            raise NotLiteral(f"{place}: {marker}() needs its {name} as one literal string.")
        named[name] = argument.value
    if len(named) < len(MARKERS[marker]):
        raise NotLiteral(f"{place}: {marker}() needs its strings as positional arguments.")
    return Message(**named)


def _from_template(source: str, path: Path) -> Iterator[tuple[int, Message]]:
    """The messages of one template, with their lines."""
    code = templatize(source, origin=str(path))
    end = 0
    while found := TEMPLATE_CALL.search(code, end):
        line = _line(code, found.start())
        call, end = _first_call(code, found.start(), f"{path}:{line}")
        if marker := _marker(call.func, TEMPLATE_NAMES):
            yield line, _message(call, marker, f"{path}:{line}")


def _first_call(code: str, start: int, place: str) -> tuple[ast.Call, int]:
    """The call that begins at `start` in what `templatize` wrote, and where it ends."""
    # Around its calls `templatize` writes filler that is no Python, so the call ends at the first
    # parenthesis that makes it parse.
    end = start
    while end := code.find(")", end) + 1:
        try:
            node = ast.parse(code[start:end], mode="eval").body
        except SyntaxError:
            continue
        if isinstance(node, ast.Call):
            return node, end
    raise NotLiteral(f"{place}: the translation tag cannot be read.")

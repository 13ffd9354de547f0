"""What programs write down in English is read in the reader's language."""

import ast
import copy
import json
from pathlib import Path

import pytest
from django.utils import translation
from django.utils.translation import gettext_noop as noop

from kitehub.db.sentences import Sentence, sentence_of, spoken, translated
from kitehub.moving import MoveRefused
from kitehub.moving.places import Place
from kitehub.tenancy import pool_url

ROOT = Path(__file__).parents[3] / "kitehub"
# What jobs raise, and the rooms that raise it there. The others speak to commands alone.
ERRORS = {"MoveRefused", "Different", "WritersAtWork", "ClosingError", "ArchiveError"}
HEARD = ("moving", "archives", "closing", "tenancy")
COMMANDS = {"archives/loading.py", "closing/dropping.py"}


def test_a_sentence_is_its_english_and_is_spoken_in_another_language() -> None:
    inner = Sentence(noop("%(path)s is not there."), path="/mnt/a.zip")
    said = Sentence("%(path)s: %(error)s", path="/mnt", error=inner)
    assert said == "/mnt: /mnt/a.zip is not there."
    kept = json.loads(json.dumps(said.plain()))
    with translation.override("vi"):
        assert spoken(kept) == "/mnt: Không có /mnt/a.zip."
        assert (translated(said), translated("plain 100%")) == (spoken(kept), "plain 100%")
    with translation.override("en"):
        assert spoken(kept) == said


def test_whole_numbers_are_grouped_and_numbers_that_are_names_are_not() -> None:
    message = noop("%(table)s: %(here)s rows at the source and %(there)s at the target")
    said = Sentence(message, table="2026", here=12345, there=7)
    assert said == "2026: 12,345 rows at the source and 7 at the target"
    with translation.override("vi"):
        assert translated(said) == "2026: 12.345 dòng ở nơi cũ và 7 dòng ở nơi mới"


def test_what_nobody_translates_any_more_is_english() -> None:
    with translation.override("vi"):
        assert spoken({"message": "Gone with %(what)s.", "parts": {"what": "V17"}}) == (
            "Gone with V17."
        )


def test_a_sentence_survives_copies_errors_and_other_parts() -> None:
    said = Sentence(noop("%(path)s is not there."), path="a\x00b")
    assert said == "ab is not there."
    assert copy.deepcopy(said).plain() == said.plain()
    assert said.having(path="c") == "c is not there."
    assert sentence_of(MoveRefused(said)) is said
    assert (sentence_of(OSError("x")), sentence_of(OSError())) == (None, None)
    outer = Sentence(noop("%(error)s Or say pool, or silo."), error=MoveRefused(said))
    assert outer.plain()["parts"]["error"] == said.plain(), "an error hands on what it says"


def test_the_pool_has_a_name_in_each_language(db: None) -> None:
    place = Place(None, pool_url(), "", None)  # type: ignore[arg-type]
    said = Sentence(noop("A move to %(target)s is open."), target=place)
    assert said == "A move to the pool is open."
    with translation.override("vi"):
        assert "cơ sở dữ liệu chung" in translated(said)


def raised(tree: ast.AST) -> list[ast.Call]:
    calls = (node.exc for node in ast.walk(tree) if isinstance(node, ast.Raise))
    return [
        call
        for call in calls
        if isinstance(call, ast.Call) and ast.unparse(call.func).rpartition(".")[2] in ERRORS
    ]


def test_everything_that_jobs_refuse_can_be_said_in_another_language() -> None:
    found = 0
    for room in HEARD:
        for path in sorted((ROOT / room).rglob("*.py")):
            if str(path.relative_to(ROOT)) in COMMANDS:
                continue
            for call in raised(ast.parse(path.read_text())):
                found += 1
                said = ast.unparse(call.args[0])
                ours = said.startswith(("Sentence(", "_ANOTHER")) or said == "*error.args"
                assert ours, f"{path}:{call.lineno}: {said}"
    assert found > 30


@pytest.mark.parametrize("language", ["vi", "en"])
def test_logs_and_commands_speak_english_whoever_asks(language: str) -> None:
    with translation.override(language):
        assert str(MoveRefused(Sentence(noop("The switch came too late; run this again.")))) == (
            "The switch came too late; run this again."
        )

"""How a key is written, and what is told of what only looks like one."""

import re

import pytest

from kitehub.key_format import PATTERN, KeyText, read_prefix


def test_a_key_is_read_as_it_was_written() -> None:
    for _ in range(200):
        text = KeyText.random()
        assert re.fullmatch(PATTERN, text.write())
        assert KeyText.read(text.write()) == text


def test_no_two_keys_are_alike() -> None:
    keys = [KeyText.random() for _ in range(500)]
    assert len({key.prefix for key in keys}) == len({key.secret for key in keys}) == 500


def test_every_changed_missing_or_swapped_letter_is_noticed() -> None:
    text = KeyText.random().write()
    assert KeyText.read(text) is not None
    for place in range(len(text)):
        other = "7" if text[place] != "7" else "8"
        assert KeyText.read(text[:place] + other + text[place + 1 :]) is None
        assert KeyText.read(text[:place] + text[place + 1 :]) is None
    for place in range(len(text) - 1):
        swapped = text[:place] + text[place + 1] + text[place] + text[place + 2 :]
        assert swapped == text or KeyText.read(swapped) is None


@pytest.mark.parametrize(
    "text", ["", "kh_live_", "x" * 100_000, "kh_live_\x00", "Bearer x", "kh_live_ﬁ", "　"]
)
def test_what_is_no_key_is_no_key(text: str) -> None:
    assert KeyText.read(text) is None
    assert KeyText.read(KeyText.random().write() + text) is None or not text


def test_the_secret_is_not_in_what_python_shows_of_a_key() -> None:
    text = KeyText.random()
    assert text.secret not in repr(text)
    assert text.secret not in str(text)


def test_people_name_a_key_by_its_prefix_however_they_copied_it() -> None:
    text = KeyText.random()
    for named in (text.prefix, f" kh_live_{text.prefix} ", text.write()):
        assert read_prefix(named) == text.prefix
    for other in ("", "kh_live_", text.prefix[1:], text.prefix + "_x", text.secret):
        assert read_prefix(other) is None

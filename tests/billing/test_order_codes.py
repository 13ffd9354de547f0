"""Order codes: random, typed without doubt, and wrong ones are told."""

from itertools import combinations
from random import Random

import pytest

from billing.order_codes import ALPHABET, LENGTH, draw_code, is_code, new_code

CODES = [draw_code(Random(seed).choice) for seed in range(60)]  # noqa: S311


def test_new_codes_are_ten_characters_that_nobody_confuses() -> None:
    codes = {new_code() for _ in range(2_000)}
    assert len(codes) == 2_000
    for code in codes:
        assert is_code(code)
        assert len(code) == LENGTH == 10
        assert code.startswith("KH")
        assert not set(code[2:]) & set("0O1ILSZ")
        assert any(character.isdigit() for character in code)
    # Every character of the alphabet comes at every place.
    for place in range(2, 10):
        assert {code[place] for code in codes} == set(ALPHABET)


def test_a_seeded_choice_repeats_itself() -> None:
    assert draw_code(Random(5).choice) == CODES[5]  # noqa: S311
    assert len(set(CODES)) == len(CODES)


@pytest.mark.parametrize("code", CODES)
def test_every_wrong_character_and_every_swap_is_found_out(code: str) -> None:
    for place, right in enumerate(code):
        for wrong in set("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ ") - {right}:
            assert not is_code(code[:place] + wrong + code[place + 1 :])
    for left, right in combinations(range(LENGTH), 2):
        swapped = list(code)
        swapped[left], swapped[right] = code[right], code[left]
        assert is_code("".join(swapped)) == (code[left] == code[right])


def test_no_error_in_one_place_can_leave_the_sum_as_it_was() -> None:
    """The proof for all codes: no weight and no difference of weights divides out."""
    size = len(ALPHABET)
    assert all(size % divisor for divisor in range(2, size))
    assert len(set(ALPHABET)) == size
    weights = range(1, 9)
    for change in range(1, size):
        assert all(change * weight % size for weight in weights)
        assert all(change * (left - right) % size for left, right in combinations(weights, 2))


def test_of_accidents_one_in_29_passes() -> None:
    random = Random(1)  # noqa: S311
    tries = 20_000
    passed = sum(is_code("KH" + "".join(random.choices(ALPHABET, k=8))) for _ in range(tries))
    assert passed == pytest.approx(tries / 29, rel=0.2)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "KH",
        "KH1",
        "KH00000042",
        "KH22222222",
        "KHACHHANGA",
        CODES[0].lower(),
        CODES[0] + "\n",
        CODES[0] + "2",
        CODES[0][:-1],
        " " + CODES[0],
        "K" + CODES[0],
        "HK" + CODES[0][2:],
        "KH٣٣٣٣٣٣٣٣",
        "ＫＨ" + CODES[0][2:],
    ],
)
def test_what_is_no_code_is_refused_quietly(text: str) -> None:
    assert not is_code(text)

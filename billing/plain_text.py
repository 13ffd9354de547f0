"""Text as banks leave it: capital letters of ASCII, digits and single blanks."""

import unicodedata

# Where letters and digits in other dress live: Latin with accents and the accents themselves,
# Vietnamese, superscripts and letter-like signs, circles, ligatures, full-width forms, mathematics.
_BLOCKS = (
    *(range(0x250), range(0x300, 0x370), range(0x1E00, 0x1F00), range(0x2000, 0x2200)),
    *(range(0x2460, 0x2500), range(0xFB00, 0xFB07), range(0xFF00, 0xFFF0), range(0x1D400, 0x1D800)),
)
# Unicode takes neither đ nor the eth that some keyboards type for it apart.
_D = dict.fromkeys("đĐðÐ", "D")
_INVISIBLE = {"Mn", "Cf"}


def fold(text: str) -> str:
    """The text without accents, in upper case, with only letters, digits and single blanks.

    Full-width and other ornate forms become plain, invisible characters vanish; all else is a
    blank.
    """
    return " ".join(text.translate(_TABLE).split())


class _Table(dict[int, str]):
    """What each character becomes. One by one, so that no text takes more than its length."""

    def __missing__(self, _: int) -> str:
        return " "


def _plain(character: str) -> str:
    if unicodedata.category(character) in _INVISIBLE:
        return ""
    letters = _D.get(character) or unicodedata.normalize("NFKD", character.upper())
    return "".join(
        letter if letter.isascii() and letter.isalnum() else " "
        for letter in letters
        if unicodedata.category(letter) not in _INVISIBLE
    ).upper()


_TABLE = _Table({code: _plain(chr(code)) for block in _BLOCKS for code in block})
# The mark at a file's start, in the midst of what was pasted.
_TABLE[0xFEFF] = ""

"""Amounts of đồng in words, as receipts and invoices write them."""

from collections.abc import Sequence

# As many digits as a bank's line or a VietQR code can say.
MOST = 10**13 - 1

_DIGITS = ("không", "một", "hai", "ba", "bốn", "năm", "sáu", "bảy", "tám", "chín")
_BILLION = 10**9
_BELOW_BILLION = ((10**6, "triệu"), (10**3, "nghìn"), (1, ""))

# fmt: off
_SMALL = (
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten",
    "eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen",
    "nineteen",
)
_TENS = ("", "", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
# fmt: on
_SCALES = (
    (10**12, "trillion"),
    (_BILLION, "billion"),
    (10**6, "million"),
    (10**3, "thousand"),
    (1, ""),
)


def amount_in_words(amount: int, *, language: str) -> str:
    """An amount in words with its currency, the first letter a capital: `Một nghìn đồng`.

    Vietnamese where the language is `vi` or one of its regions, English otherwise. In đồng.
    Raises ValueError for an amount below nothing or of more than 13 digits.

    The sentence ends in `đồng` whatever the amount: `chẵn`, which some write after round sums,
    says nothing about the sum and is asked for by no rule.
    """
    if not 0 <= amount <= MOST:
        raise ValueError(f"amount is {amount}, and must be from 0 to {MOST}.")
    if language.split("-")[0].lower() == "vi":
        words = f"{_vietnamese(amount)} đồng"
    else:
        words = f"{_english(amount)} Vietnamese dong"
    return words[0].upper() + words[1:]


def _vietnamese(number: int) -> str:
    """A number in Vietnamese. Above a billion the words start over: `một nghìn hai trăm tỷ`."""
    if number == 0:
        return _DIGITS[0]
    billions, rest = divmod(number, _BILLION)
    words = [_vietnamese(billions), "tỷ"] if billions else []
    for size, name in _BELOW_BILLION:
        group, rest = divmod(rest, size)
        if group:
            words += [*_hundreds(group, inside=bool(words)), name]
    return _joined(words)


def _hundreds(group: int, *, inside: bool) -> list[str]:
    """The words of three digits; inside a number also the empty hundreds are said."""
    hundreds, rest = divmod(group, 100)
    tens, ones = divmod(rest, 10)
    words = [_DIGITS[hundreds], "trăm"] if hundreds or inside else []
    if tens == 1:
        words.append("mười")
    elif tens:
        words += [_DIGITS[tens], "mươi"]
    elif ones and words:
        words.append("linh")
    if ones:
        words.append(_ones(ones, after=tens))
    return words


def _ones(digit: int, *, after: int) -> str:
    """The last digit's word, which goes by the tens before it: `mốt`, `tư` and `lăm`."""
    if digit == 1 and after > 1:
        return "mốt"
    if digit == 4 and after > 1:
        return "tư"
    if digit == 5 and after:
        return "lăm"
    return _DIGITS[digit]


def _english(number: int) -> str:
    if number == 0:
        return _SMALL[0]
    words: list[str] = []
    for size, name in _SCALES:
        group, number = divmod(number, size)
        if group:
            words += [_english_hundreds(group), name]
    return _joined(words)


def _english_hundreds(group: int) -> str:
    hundreds, rest = divmod(group, 100)
    words = [_SMALL[hundreds], "hundred"] if hundreds else []
    if rest >= len(_SMALL):
        tens, ones = divmod(rest, 10)
        words.append(f"{_TENS[tens]}-{_SMALL[ones]}" if ones else _TENS[tens])
    elif rest:
        words.append(_SMALL[rest])
    return _joined(words)


def _joined(words: Sequence[str]) -> str:
    return " ".join(word for word in words if word)

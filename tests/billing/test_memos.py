"""Memos carry the code whole, whatever the school's template and the student's name are."""

from datetime import UTC, datetime
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from billing.matching import order_codes
from billing.memos import enrollment_memo, fold, payment_content, subscription_memo
from billing.order_codes import draw_code
from billing.vietqr import decode, encode

CODE = "KHA7Q2M4XP"
AT = datetime(2026, 11, 30, 18, 5, tzinfo=UTC)
DEFAULT = "HOCPHI {courseId} {studentName}"


def memo(template: str | None, *, course_id: str = "T9", student_name: str = "Lê Đức") -> str:
    return enrollment_memo(
        code=CODE, template=template, course_id=course_id, student_name=student_name, at=AT
    )


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("Nguyễn Thị Đặng Ước", "NGUYEN THI DANG UOC"),
        ("Nguye\u0302\u0303n đ\u0323", "NGUYEN D"),
        ("Ðặng", "DANG"),
        ("  a--b\t\nc.  ", "A B C"),
        ("ＫＨ７ ² ① № ﬁ ß", "KH7 2 1 NO FI SS"),
        ("学费 😀 фи", ""),
        ("a\u200bb\u00adc\ufeffd", "ABCD"),
        ("", ""),
    ],
)
def test_folding_leaves_what_banks_keep(text: str, plain: str) -> None:
    assert fold(text) == plain
    assert fold(plain.lower()) == plain


@settings(max_examples=60)
@given(st.text())
def test_folded_text_is_plain_and_stays_as_it_is(text: str) -> None:
    plain = fold(text)
    assert all(word.isascii() and word.isalnum() and word == word.upper() for word in plain.split())
    assert "  " not in plain
    assert plain == plain.strip() == fold(plain)


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        (DEFAULT, f"{CODE} HOCPHI T9 LE"),
        ("{studentName} {courseId}", f"{CODE} LE DUC T9"),
        ("{ studentname }/{COURSEID}", f"{CODE} LE DUC T9"),
        ("{timestamp}", f"{CODE} 01120105"),
        ("{courseId}{timestamp}", f"{CODE} T901120105"),
        ("Học phí tháng chín", f"{CODE} HOC PHI THANG"),
        ("Học phí lớp tiếng Anh", f"{CODE} HOC PHI LOP"),
        ("Hocphihocthemtienganh", f"{CODE} HOCPHIHOCTHEMT"),
        ("", CODE),
        (None, CODE),
        ("{}", CODE),
        ("{0.__class__.__mro__} {courseId!r} {courseId:>99}", CODE),
        ("%s %(courseId)s ${courseId} {{courseId}}", f"{CODE} S COURSEID S"),
        ("}{ {courseId} {", f"{CODE} T9"),
        ("{orderId} {courseId}", f"{CODE} T9"),
        ("\x00\n{courseId}\U0001f600", f"{CODE} T9"),
    ],
)
def test_templates_are_filled_in_and_nothing_in_them_is_run(
    template: str | None, expected: str
) -> None:
    assert memo(template) == expected


def test_values_are_text_and_never_templates() -> None:
    text = memo(DEFAULT, student_name="{courseId}", course_id="{x}")
    assert text == f"{CODE} HOCPHI X COURS"


def test_another_code_in_the_values_does_not_get_in() -> None:
    other = draw_code(Random(1).choice)  # noqa: S311
    for name in (other, f"{other} AN", f"{other[:4]} {other[4:]}", f"x{other}"):
        assert order_codes(memo("{studentName}", student_name=name)) == [CODE]
    assert memo("HP {studentName}", student_name=other) == f"{CODE} HP"
    assert memo("{studentName}", student_name=CODE) == f"{CODE} {CODE}"


@settings(max_examples=100)
@given(
    seed=st.integers(0),
    template=st.text("{}courseIdstudentNametimestamp KH27", max_size=60) | st.just(DEFAULT),
    course_id=st.text(max_size=20) | st.text("KH27AX ", max_size=20),
    student_name=st.text(max_size=30) | st.text("KHkh27ax ", max_size=30),
)
def test_every_memo_fits_a_qr_and_says_its_code_alone(
    seed: int, template: str, course_id: str, student_name: str
) -> None:
    code = draw_code(Random(seed).choice)  # noqa: S311
    text = enrollment_memo(
        code=code, template=template, course_id=course_id, student_name=student_name, at=AT
    )
    assert text.startswith(code)
    assert order_codes(text) == order_codes(text.lower()) == [code]
    payload = encode(bank_bin="970436", account_number="1", memo=text)
    assert decode(payload).memo == text


def test_codes_from_before_check_characters_go_along() -> None:
    old = "KH00000042"
    assert enrollment_memo(
        code=old, template=DEFAULT, course_id="T9", student_name="An", at=AT
    ) == (f"{old} HOCPHI T9 AN")
    with pytest.raises(ValueError, match="too long"):
        enrollment_memo(code="K" * 26, template="", course_id="", student_name="", at=AT)


def test_subscriptions_memo_is_the_code_and_the_plans_text_is_for_people() -> None:
    assert subscription_memo(CODE) == CODE
    assert payment_content(CODE, "lan@truong.vn") == f"KITEHUB {CODE} lan@truong.vn"
    assert len(payment_content(CODE, "x" * 250 + "@truong.vn")) == 200

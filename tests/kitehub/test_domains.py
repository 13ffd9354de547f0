"""Names in the DNS are taken in the letters they have there, or refused with the reason."""

import pytest
from django.core.exceptions import ValidationError
from django.test import Client
from django.utils import translation
from hypothesis import given
from hypothesis import strategies as st

from kitehub.domains import clean_domain, clean_subdomain
from kitehub.models import Instance
from tests.factories.kitehub import InstanceFactory
from tests.kitehub.backoffice.pages import save


def refusal(clean: object, text: str) -> str:
    with pytest.raises(ValidationError) as refused:
        clean(text)  # type: ignore[operator]
    assert refused.value.messages
    return str(refused.value.code)


@pytest.mark.parametrize(
    ("typed", "stored"),
    [("sao-mai", "sao-mai"), (" Sao-Mai ", "sao-mai"), ("A1", "a1"), ("7", "7"),
     ("a" * 50, "a" * 50)],
)  # fmt: skip
def test_a_subdomain_is_stored_in_lower_case(typed: str, stored: str) -> None:
    assert clean_subdomain(typed) == stored


@pytest.mark.parametrize(
    ("typed", "code"),
    [
        ("", "letters"), ("Bad Domain!", "letters"), ("sao_mai", "letters"), ("a.b", "letters"),
        ("trường", "letters"), ("раураl", "letters"), ("\u212aite", "letters"),
        ("a\x00", "letters"), ("a\n", ""), ("-a", "hyphen"), ("a-", "hyphen"), ("-", "hyphen"),
        ("xn--a", "hyphens"),
        ("ab--c", "hyphens"), ("a" * 51, "too_long"), ("www", "reserved"), ("Admin", "reserved"),
        ("ns1", "reserved"), ("kitehub", "reserved"),
    ],
)  # fmt: skip
def test_what_is_no_subdomain_is_refused_with_the_reason(typed: str, code: str) -> None:
    if code:
        assert refusal(clean_subdomain, typed) == code
    else:
        assert clean_subdomain(typed) == typed.strip()


@pytest.mark.parametrize(
    ("typed", "stored"),
    [
        ("truong.vn", "truong.vn"),
        (" Hoc.SaoMai.edu.vn. ", "hoc.saomai.edu.vn"),
        ("trường.vn", "xn--trng-rib8295b.vn"),
        ("TRƯỜNG.VN", "xn--trng-rib8295b.vn"),
        ("tru\u031bo\u031b\u0300ng.vn", "xn--trng-rib8295b.vn"),
        ("xn--trng-rib8295b.vn", "xn--trng-rib8295b.vn"),
        ("学校。中国", "xn--48s290a.xn--fiqs8s"),
        ("пример.рф", "xn--e1afmkfd.xn--p1ai"),
        ("ｔｒｕｏｎｇ．ｖｎ", "truong.vn"),
        (".".join(["a" * 63] * 3 + ["b" * 61]), ".".join(["a" * 63] * 3 + ["b" * 61])),
    ],
)
def test_a_domain_is_stored_in_the_letters_of_the_dns(typed: str, stored: str) -> None:
    assert clean_domain(typed) == stored
    assert clean_domain(stored) == stored


@pytest.mark.parametrize(
    ("typed", "code"),
    [
        ("localhost", "too_few_labels"), ("", "too_few_labels"), (".", "too_few_labels"),
        ("a..vn", "empty_label"), (".a.vn", "empty_label"), ("https://a.vn", "address"),
        ("a.vn/x", "address"), ("me@a.vn", "address"), ("a.vn:443", "port"), ("*.a.vn", "wildcard"),
        ("10.0.0.1", "ip"), ("::1", "ip"), ("[2001:db8::1]", "ip"), ("127.1", "ip"),
        ("1.0x7f", "ip"), ("-a.vn", "hyphen"), ("a-.vn", "hyphen"), ("ab--c.vn", "hyphens"),
        ("a b.vn", "label"), ("a_b.vn", "label"), ("a\x00.vn", "label"), ("xn--a.vn", "label"),
        ("😀.vn", "label"), ("a\u200d.vn", "label"), ("a" * 64 + ".vn", "too_long"),
        (".".join(["a" * 60] * 5), "too_long"),
        ("p\u0430ypal.com", "mixed_scripts"), ("g\u03bfogle.vn", "mixed_scripts"),
        ("xn--pypal-4ve.com", "mixed_scripts"),
        ("\u0430\u0440\u0440\u04cf\u0435.vn", "homograph"), ("xn--80ak6aa92e.com", "homograph"),
        ("\u03bf\u03ba1.vn", "homograph"),
    ],
)  # fmt: skip
def test_what_is_no_domain_is_refused_with_the_reason(typed: str, code: str) -> None:
    assert refusal(clean_domain, typed) == code


@given(st.text(max_size=80))
def test_any_text_is_a_name_or_refused(text: str) -> None:
    for clean in (clean_subdomain, clean_domain):
        try:
            name = clean(text)
        except ValidationError:
            continue
        assert name.isascii()
        assert name == name.lower() == clean(name)


def test_errors_speak_both_languages() -> None:
    with pytest.raises(ValidationError) as refused:
        clean_subdomain("www")
    for language, said in [("vi", "dành riêng cho nền tảng"), ("en", "kept for the platform")]:
        with translation.override(language):
            assert said in refused.value.messages[0]


def test_a_form_refuses_bad_names_and_stores_good_ones(back_office: Client) -> None:
    school = InstanceFactory(subdomain="sao-mai")
    answer = save(back_office, school, subdomain="Bad Domain!", custom_domain="10.0.0.1")
    assert set(answer.context["adminform"].form.errors) == {"subdomain", "custom_domain"}
    answer = save(back_office, school, subdomain=" Sao-Hom ", custom_domain="Trường.vn")
    assert answer.status_code == 302, answer.context["adminform"].form.errors
    school = Instance.objects.get()
    assert (school.subdomain, school.custom_domain) == ("sao-hom", "xn--trng-rib8295b.vn")
    page = back_office.get("/admin/kitehub/instance/", {"q": "trường.vn"})
    assert list(page.context["cl"].result_list) == [school]


def test_a_form_that_leaves_an_odd_name_alone_saves_the_rest(back_office: Client) -> None:
    school = InstanceFactory(subdomain="Old_Name", custom_domain="old host")
    answer = save(back_office, school, organization_name="Tên mới")
    assert answer.status_code == 302, answer.context["adminform"].form.errors
    school = Instance.objects.get()
    assert (school.subdomain, school.organization_name) == ("Old_Name", "Tên mới")
    assert school.custom_domain == "old host"

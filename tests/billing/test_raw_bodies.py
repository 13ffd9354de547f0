"""What people see of a bank's message: no secret, and of others' accounts the end."""

import base64
import json
from time import process_time
from urllib.parse import quote, quote_plus

import pytest
from django.contrib.auth.models import Permission
from django.test import Client, override_settings

from billing.raw_bodies import MOST_SHOWN, masked
from tests.factories.billing import BankTransferFactory
from tests.factories.kitehub import UserFactory
from tests.kitehub.backoffice.pages import page_url

JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N"
HEX = "d41d8cd98f00b204e9800998ecf8427e"
OURS = 'hun\\ter"22'
OURS_TOO = "k/9 é+&=Zq<7"
ACCOUNT = "0071000123456"
# What is in a message, and what of it nobody may see.
HIDDEN = {
    "by its name": (json.dumps({"signature": "abc-def"}), "abc-def"),
    "by a part of its name": (json.dumps({"data": [{"xApiKey2": "k1"}]}), "k1"),
    "also in an object": (json.dumps({"token": {"deep": "k2"}}), "k2"),
    "also a number": (json.dumps({"otp": 123456}), "123456"),
    "in text": ("amount=5&secure_token=k3&x=1", "k3"),
    "in text in JSON": (json.dumps({"log": '{"password": "k4"}'}), "k4"),
    "by its look": (json.dumps({"content": f"x {JWT} y"}), JWT),
    "as a digest": (f"x {HEX} y", HEX),
    "behind its scheme": ("x: Apikey k5-k6", "k5-k6"),
    "our own": (f"a {OURS} b", OURS),
    "our own in JSON": (json.dumps({"content": f"a {OURS} b"}), "ter"),
    "an account by its name": (json.dumps({"counterAccountNumber": ACCOUNT}), "1000"),
    "an account in text": (f"CT tu TK {ACCOUNT} di", "1000"),
    "an account's number": (json.dumps({"from_account": {"number": ACCOUNT}}), "1000"),
    "an account's number in XML": (f"<debtorAcc><no>{ACCOUNT}</no></debtorAcc>", "1000"),
    "a code that is said": ("ma OTP cua ban la 123456, khong chia se", "123456"),
    "a code behind its name": ("OTP 123456", "123456"),
    "a code in Vietnamese": (json.dumps({"sms": "Mã xác thực giao dịch: 1234"}), "1234"),
    "an account that is known": (json.dumps({"content": "98765432109 gui"}), "9876543"),
}


# Names that are a secret's, whatever they are written in.
NAMES = [
    "pass",
    "passphrase",
    "mat_khau",
    "matKhau",
    "mật khẩu",
    "auth",
    "bearer",
    "sessionId",
    "OTP",
]
WAYS = {
    "JSON": lambda name, value: json.dumps({"a": [{name: value}]}),
    "a list": lambda name, value: json.dumps({name + ("s" if name == "key" else ""): ["x", value]}),
    "a pair": lambda name, value: json.dumps([{"name": name, "value": value}]),
    "a pair in a list": lambda name, value: json.dumps({"headers": [[name, value]]}),
    "JSON in JSON": lambda name, value: json.dumps({"x": json.dumps({name: value})}),
    "JSON in JSON in JSON": lambda name, value: json.dumps(json.dumps(json.dumps({name: value}))),
    "broken JSON": lambda name, value: json.dumps({name: value})[:-1],
    "escaped names": lambda name, value: (
        '{"' + "".join(f"\\u{ord(letter):04x}" for letter in name) + f'": "{value}"'
    ),
    "text": lambda name, value: f"x {name}: {value}",
    "said": lambda name, value: f"CT {name} la {value}",
    "a form": lambda name, value: f"amount=5&{quote_plus(name)}={quote_plus(value)}&y=1",
    "a form in a form": lambda name, value: f"a=1&next={quote(f'{quote(name)}={quote(value)}')}",
    "an address": lambda name, value: f"see https://x.vn/a?{quote(name)}={quote(value)} there",
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", NAMES)
def test_hidden_by_its_name_in_whatever_it_is_written(name: str, way: str) -> None:
    shown = masked(WAYS[way](name, "s3kr,t-9"))
    assert "s3kr" not in shown
    assert "t-9" not in shown
    assert "•••" in shown


@pytest.mark.parametrize(
    "text",
    [
        "<a><password>top s3cr</password></a>",
        "<a><password><x>top</x> s3cr</password></a>",
        "<a token='s3cr'>5</a>",
        "<p name='token' value='s3cr'/>",
        "<p name='token'><v>s3cr</v></p>",
        "<p xmlns='u:n'><name>otp</name><value>s3cr</value></p>",
        "<a><password><![CDATA[s3cr]]></password>",
        "<!DOCTYPE a [<!ENTITY b 'c'>]><a><pin>s3cr</pin></a>",
        json.dumps({"x": "<a><pin>s3cr</pin></a>"}),
        "x &lt;pin&gt;s3cr&lt;/pin&gt;",
        "at https://minh:s3cr@bank.vn/x",
        "Cookie: a=b; c=s3cr",
        "Authorization: Own id=5, part=s3cr",
        "sign=a b s3cr&otp=s3cr",
        'x "secret": "a b s3cr"',
        '{"keys": ["a", {"b": {}, "c": "s3cr"}',
        json.dumps({"keys": ["s3cr"]}),
        json.dumps({"kh_s3cr8fhe83": 1}),
        json.dumps({f"{JWT}s3cr": 1}),
    ],
)
def test_hidden_in_xml_headers_addresses_and_keys(text: str) -> None:
    shown = masked(text)
    assert "s3cr" not in shown
    assert "•••" in shown


@pytest.mark.parametrize(
    "spelled",
    [
        quote(OURS_TOO, safe=""),
        quote(OURS_TOO),
        quote_plus(OURS_TOO).lower().replace("zq", "Zq"),
        quote(quote(OURS_TOO, safe=""), safe=""),
        json.dumps(json.dumps(OURS_TOO)),
        json.dumps(json.dumps(json.dumps(OURS_TOO))),
        base64.b64encode(OURS_TOO.encode()).decode(),
        *(base64.b64encode(f"{'u' * n}:{OURS_TOO}:x".encode()).decode() for n in range(1, 4)),
        base64.urlsafe_b64encode(OURS_TOO.encode()).decode(),
        OURS_TOO.replace("&", "&amp;").replace("<", "&lt;"),
    ],
)
def test_our_own_is_hidden_however_it_is_spelled(spelled: str) -> None:
    core = spelled.strip('"\\')[5:12]
    for text in (f"a {spelled} b", json.dumps({"content": f"a {spelled} b"})):
        shown = masked(text, secrets=[OURS_TOO])
        assert core not in shown
        assert "•••" in shown


@pytest.mark.parametrize(
    "text",
    [
        "<a><b c='d'>KH7Q2M4X9A toi &amp; tu</b></a>",
        "amount=5&content=hoc+phi%20thang&section=3",
        "chuyen khoan: 299.000 tu Nguyen Van Pin, luc 10:15:00",
        "https://bank.vn/a?b=c@d",
    ],
)
def test_what_hides_nothing_is_shown_as_it_came(text: str) -> None:
    assert masked(text, secrets=[OURS_TOO]) == text
    told = {"x": text, "y": json.dumps({"z": text})}
    assert json.loads(masked(json.dumps(told), secrets=[OURS_TOO])) == told


@pytest.mark.parametrize("why", HIDDEN)
def test_hidden(why: str) -> None:
    text, secret = HIDDEN[why]
    assert secret in text
    shown = masked(text, secrets=[OURS], own="0123499999", others="98765432109")
    assert secret not in shown
    assert "•••" in shown


def test_what_explains_the_payment_stays() -> None:
    told = {
        "id": 92704,
        "gateway": "Vietcombank",
        "accountNumber": "0123499999",
        "content": "MBVCB.3278907687.KH7Q2M4X9A.CT tu TK 0071000123456 toi 0123499999",
        "transferAmount": 299000,
        "referenceCode": "FT24364030863634",
        "description": None,
        "ok": True,
        "monkey": "shipping",
        "account": {"name": "SAO MAI", "balance": 12500000, "number": "0123499999"},
        "note": "OTP KH7Q2M4X9A FT24364030863634",
    }
    shown = json.loads(masked(json.dumps(told), own="0123499999"))
    assert shown == {
        **told,
        "content": "MBVCB.3278907687.KH7Q2M4X9A.CT tu TK •••3456 toi 0123499999",
    }


@pytest.mark.parametrize(
    "text",
    [
        "[" * 100_000,
        "x" * 300_000,
        "token" * 60_000,
        '{"a":' * 90_000,
        "A1a" * 100_000,
        "tk " * 90_000,
        "<a>" * 60_000,
        "pass=" * 40_000,
        "\\" * 200_000,
        "a=%2525" * 28_000,
        "&amp;" * 40_000,
        "://" * 60_000,
    ],
)
def test_huge_and_broken_messages_are_cut_text(text: str) -> None:
    shown = masked(text, secrets=[OURS, OURS_TOO])
    assert shown
    assert len(shown) <= MOST_SHOWN + 1


@pytest.mark.parametrize("part", ["-token", "-eyJabcde"])
def test_time_grows_with_the_size_alone(part: str) -> None:
    def took(size: int) -> float:
        began = process_time()
        masked(part * (size // len(part)))
        return process_time() - began

    took(1_000)
    # Eight times the text: a square would take sixty-four times as long.
    assert took(48_000) < 24 * max(took(6_000), 0.01)


def test_half_a_surrogate_that_is_escaped_twice_can_be_sent_to_a_browser() -> None:
    shown = masked(r"""{"content":"{\"token\":\"abc\",\"a\":\"\\ud800\"}"}""")
    assert "abc" not in shown
    assert shown.encode()


@pytest.mark.django_db
@override_settings(KITEHUB_WEBHOOK_SECRETS={"sepay": {"tokens": ("our-own-key-1",)}})
def test_page_shows_it_to_those_who_may_read_it(back_office: Client) -> None:
    body = json.dumps({"content": "<img src=x onerror=1> our-own-key-1", "token": "zzz-zzz"})
    line = BankTransferFactory(raw_body=body)
    page = back_office.get(page_url(line)).content.decode()
    assert "Nguyên văn thông báo" in page
    assert "&lt;img src=x onerror=1&gt;" in page
    assert "our-own-key-1" not in page
    assert "zzz-zzz" not in page
    empty = back_office.get(page_url(BankTransferFactory())).content.decode()
    assert "Không lưu nội dung nào." in empty
    person = UserFactory(staff=True)
    person.user_permissions.set(Permission.objects.filter(codename="view_banktransfer"))
    clerk = Client()
    clerk.force_login(person)
    assert "Nguyên văn thông báo" not in clerk.get(page_url(line)).content.decode()
    person.user_permissions.add(Permission.objects.get(codename="view_raw_body"))
    assert "Nguyên văn thông báo" in clerk.get(page_url(line)).content.decode()

"""What people see of a bank's message: no secret, and of others' accounts the end."""

import json

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
    "an account that is known": (json.dumps({"content": "98765432109 gui"}), "9876543"),
}


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
    ],
)
def test_huge_and_broken_messages_are_cut_text(text: str) -> None:
    shown = masked(text)
    assert shown
    assert len(shown) <= MOST_SHOWN + 1


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

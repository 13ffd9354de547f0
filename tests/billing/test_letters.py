"""The mails about subscriptions, as they arrive: in both languages, with the payment in them."""

from datetime import timedelta
from typing import Any

import pytest
from django.core import mail
from django.utils import timezone

from billing.dunning import Reminder
from billing.models import PaymentOrder, Subscription
from billing.services import letters
from billing.services.orders import open_order
from billing.services.renewals import open_upgrade
from kitehub.enums import Tier
from kitehub.models import Email
from kitehub.services import emails
from tests.factories.billing import SubscriptionFactory
from tests.factories.kitehub import InstanceFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def subscription() -> Subscription:
    school = InstanceFactory(organization_name="Sao & Mai", subdomain="sao-mai")
    return SubscriptionFactory(instance=school, tier=Tier.STANDARD)


def order_of(subscription: Subscription) -> PaymentOrder:
    return open_order(instance=subscription.instance, tier=Tier.STANDARD, months=3, actor="na")


def arrived(language: str = "vi") -> tuple[str, str, str]:
    """Subject, text and HTML of the one message that is queued."""
    email = Email.objects.queued().get()
    Email.objects.filter(pk=email.pk).update(language=language)
    assert emails.send(email_id=email.pk) == "SENT"
    message: Any = mail.outbox[-1]
    return message.subject, message.body, message.alternatives[0][0]


@pytest.mark.parametrize("language", ["vi", "en"])
def test_a_renewal_brings_its_payment(language: str, subscription: Subscription) -> None:
    order = order_of(subscription)
    subscription.instance.owner.language = language
    assert letters.renewal_opened(order=order, subscription=subscription)
    assert Email.objects.get().language == language
    assert not letters.renewal_opened(order=order, subscription=subscription)
    subject, text, html = arrived(language)
    amount, sentence = {
        "vi": ("1.797.000\xa0₫", "cho 3 tháng tiếp theo"),
        "en": ("1,797,000\xa0₫", "the next 3 months of Standard"),
    }[language]
    assert subject.startswith("Sao & Mai: ")
    for part in (text, html):
        for words in [amount, sentence, order.memo, order.account_number, "Vietcombank"]:
            assert words in part, words
        assert f"http://127.0.0.1:8000/schools/sao-mai/orders/{order.order_id}/" in part
    assert f'src="http://127.0.0.1:8000/qr/{order.order_id}:' in html
    assert "Sao &amp; Mai" in html
    assert "&amp;" not in text


@pytest.mark.parametrize(
    ("language", "sentence"),
    [("vi", "Đây là thông tin thanh toán đơn"), ("en", "Here is the payment of order")],
)
def test_an_upgrades_payment_is_sent_again(
    language: str, sentence: str, subscription: Subscription
) -> None:
    now = timezone.now()
    subscription.instance.owner.language = language
    order = open_upgrade(instance=subscription.instance, tier=Tier.PREMIUM, at=now, actor="na")
    assert order.months is None
    assert letters.order_again(order=order, subscription=subscription, at=now)
    subject, text, html = arrived(language)
    assert order.order_id in subject
    for part in (text, html):
        assert f"{sentence} {order.order_id}" in part
        assert order.memo in part


def test_a_renewal_of_a_trial_says_that_it_is_one(subscription: Subscription) -> None:
    subscription.trial_end = subscription.current_period_end
    letters.renewal_opened(order=order_of(subscription), subscription=subscription)
    subject, text, html = arrived()
    assert "đã thanh toán" not in f"{subject} {text} {html}"
    for part in (text, html):
        assert "Thời gian dùng thử của Sao" in part


@pytest.mark.parametrize(
    ("days", "trial", "words"),
    [
        (-7, False, "gói đăng ký hết hạn ngày"),
        (0, False, "gói đăng ký hết hạn hôm nay"),
        (3, False, "gói đăng ký đã hết hạn ngày"),
        (-1, True, "thời gian dùng thử hết ngày"),
        (0, True, "hôm nay là ngày cuối dùng thử"),
        (3, True, "thời gian dùng thử đã hết ngày"),
    ],
)
def test_a_reminder_says_when_and_comes_once(
    days: int, trial: bool, words: str, subscription: Subscription
) -> None:
    end = subscription.current_period_end
    if trial:
        subscription.trial_end = end
    due = Reminder(days, timezone.now(), end)
    order = None if trial else order_of(subscription)
    said = {"reminder": due, "subscription": subscription, "order": order}
    assert letters.reminder(**said)
    assert not letters.reminder(**said)
    reason = letters.reason_of(subscription.pk, due)
    assert letters.asked([reason, "another"]) == {reason}
    later = Reminder(days, timezone.now(), end + timedelta(days=30))
    assert letters.asked([letters.reason_of(subscription.pk, later)]) == set()
    subject, text, html = arrived()
    assert words in subject
    for part in (text, html):
        assert ("/plans/" in part) == trial
        assert "\n\n\n" not in text
    assert "\n." not in text
    assert words in html

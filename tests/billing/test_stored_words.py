"""What programs wrote in English is read in the reader's language."""

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone, translation

from billing.admin.stored_words import actor_words, reason_words, refusal_words
from billing.enums import FeedProvider
from billing.models import BankFeed, BankTransfer
from billing.services.orders import open_order
from billing.services.releasing import IN_VAIN
from billing.services.settlement import settle_transfer
from kitehub.enums import Tier
from tests.billing.settling import NOW, line
from tests.factories.kitehub import InstanceFactory
from tests.kitehub.backoffice.pages import page_url


def test_programs_words_are_translated_and_peoples_stay() -> None:
    with translation.override("vi"):
        assert actor_words("settlement") == "Đối soát (tự động)"
        assert [actor_words("lan@example.vn"), actor_words(None)] == ["lan@example.vn", ""]
        assert reason_words("Order KH7Q2M4X9A is paid") == "Đơn KH7Q2M4X9A đã thanh toán"
        back = reason_words("Order KH7Q2M4X9A is paid back: đóng\ntrùng")
        assert back == "Đã hoàn tiền đơn KH7Q2M4X9A: đóng\ntrùng"
        assert reason_words(IN_VAIN) == "Khi tiền về thì không còn gì để nâng cấp"
        assert reason_words("superseded") == "Được thay bằng đơn khác"
        assert [reason_words("khách xin"), reason_words(None)] == ["khách xin", ""]
        assert refusal_words("signature_wrong") == "Chữ ký không khớp với nội dung gửi đến."
        assert refusal_words("malformed: amount") == "Không đọc được trường “amount”."
        assert refusal_words("news") == "news"


def test_a_statements_line_has_a_name_that_people_read() -> None:
    told = BankTransfer(
        provider=FeedProvider.STATEMENT, provider_id="f" * 40, transferred_at=NOW, amount=599_000
    )
    with translation.override("vi"):
        assert str(told) == "Sao kê 23/11/2026 599.000\xa0₫"
    told.provider, told.provider_id = FeedProvider.SEPAY, "92704"
    assert str(told) == "SePay 92704"


@pytest.mark.django_db
def test_pages_of_staff_show_the_words(back_office: Client) -> None:
    order = open_order(
        instance=InstanceFactory(), actor="lan", tier=Tier.STANDARD, at=timezone.now()
    )
    told = line(order.memo, order.amount, timezone.now())
    settle_transfer(transfer_id=told.pk)
    feed = BankFeed.objects.create(provider="SEPAY", refused=1, refused_reason="signature_stale")
    for url, words in [
        (page_url(told), "Đối soát (tự động)"),
        (reverse("admin:billing_paymentallocation_changelist"), "Đối soát (tự động)"),
        (
            reverse("admin:billing_subscriptionhistory_changelist"),
            f"{order.order_id} đã thanh toán",
        ),
        (reverse("admin:billing_bankfeed_changelist"), "Chữ ký đã quá cũ."),
        (page_url(feed), "Chữ ký đã quá cũ."),
    ]:
        page = back_office.get(url).content.decode()
        assert words in page, url
        assert "signature_stale" not in page

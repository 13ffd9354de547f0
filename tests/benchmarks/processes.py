"""Other processes on the benchmark's database, as they are in production."""

from secrets import token_urlsafe

from cryptography.fernet import Fernet
from django.conf import settings
from django.db import connection

from kitehub.jobs.worker import KEPT_SECONDS, PREPARE_THRESHOLD
from tests.migrations.databases import url

WEBHOOK_SECRET = "benchmark"


def environment() -> dict[str, str]:
    """What such a process has in its environment, beside ours."""
    kept = f"?prepare_threshold={PREPARE_THRESHOLD}&conn_max_age={KEPT_SECONDS}"
    return {
        "DJANGO_SETTINGS_MODULE": "kitehub.settings",
        "DJANGO_DEBUG": "off",
        "DATABASE_URL": url(connection) + kept,
        # Nothing that they read is encrypted by another key.
        "SECRET_KEY": token_urlsafe(60),
        "KITEHUB_FIELD_KEYS": Fernet.generate_key().decode(),
        "KITEHUB_BANK_BIN": settings.KITEHUB_BANK_BIN,
        "KITEHUB_BANK_ACCOUNT": settings.KITEHUB_BANK_ACCOUNT,
        "KITEHUB_BANK_ACCOUNT_NAME": settings.KITEHUB_BANK_ACCOUNT_NAME,
        "SEPAY_WEBHOOK_SECRETS": WEBHOOK_SECRET,
        "BEHIND_HTTPS_PROXY": "on",
    }

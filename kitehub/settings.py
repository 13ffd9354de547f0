"""Settings, read from the environment. docs/settings.md lists every variable.

Unset, the project runs on one machine for development: DEBUG on, an embedded PostgreSQL in
`.data/`. The WSGI and ASGI entry points turn DEBUG off unless told otherwise, and with DEBUG off
each secret must be given: a missing one is an error that names it.
"""

import json
import re
from pathlib import Path
from typing import Any

import environ
from django.core.exceptions import ImproperlyConfigured

from kitehub.db.addresses import EXAMPLE, configuration
from kitehub.db.servers import servers
from kitehub.formats import (  # noqa: F401
    DATE_INPUT_FORMATS,
    DATETIME_INPUT_FORMATS,
    TIME_INPUT_FORMATS,
)
from kitehub.theme import UNFOLD  # noqa: F401

BASE_DIR = Path(__file__).resolve().parent.parent

env = environ.Env()


def _flag(name: str, default: bool) -> bool:
    """Reads a boolean variable; a word that is neither yes nor no is an error, not False."""
    value = env.str(name, default="").strip().lower()
    if not value:
        return default
    if value in {"1", "true", "t", "yes", "y", "on"}:
        return True
    if value in {"0", "false", "f", "no", "n", "off"}:
        return False
    raise ImproperlyConfigured(f"{name} is {value!r}; set it to on or off.")


def _staff_totp() -> bool:
    """Whether KITEHUB_STAFF_TOTP demands codes of all staff."""
    value = env.str("KITEHUB_STAFF_TOTP", default="").strip().lower()
    if value not in {"", "optional", "required"}:
        raise ImproperlyConfigured(
            f"KITEHUB_STAFF_TOTP is {value!r}; set it to optional or required."
        )
    return bool(value == "required")


def _count(name: str, default: int, of: str) -> int:
    """Reads how many there are of something; what is no whole number from 0 on is an error."""
    value = env.str(name, default="").strip()
    if value and not (value.isascii() and value.isdigit()):
        raise ImproperlyConfigured(f"{name} is {value!r}; set it to a number of {of}.")
    return int(value or default)


def _secret(name: str, *, development: str) -> str:
    """Reads a secret; only with DEBUG on may it be missing."""
    value: str = env.str(name, default="").strip()
    if value:
        return value
    if DEBUG:
        return development
    raise ImproperlyConfigured(
        f"{name} is not set. With DJANGO_DEBUG off it must be given: see docs/settings.md."
    )


def _database() -> dict[str, Any]:
    """The database that DATABASE_URL names, or the embedded server where it is unset."""
    url = env.str("DATABASE_URL", default="").strip()
    if not url:
        if not DEBUG:
            raise ImproperlyConfigured(
                "DATABASE_URL is not set. With DJANGO_DEBUG off it must name a PostgreSQL 15 "
                f"or newer, for example {EXAMPLE}."
            )
        return {"ENGINE": "kitehub.db.backends.embedded", "NAME": "kitehub"}
    return configuration(url, named="DATABASE_URL")


def _site_url() -> str:
    """Where people find the site: KITEHUB_BASE_URL, or what the other settings make likely."""
    url: str = env.str("KITEHUB_BASE_URL", default="").strip().rstrip("/")
    if not url:
        host = next(
            (host for host in ALLOWED_HOSTS if not host.startswith((".", "*"))), "localhost"
        )
        return "http://127.0.0.1:8000" if DEBUG else f"https://{host}"
    if not re.fullmatch(r"https?://[^\s/?#@]+", url):
        raise ImproperlyConfigured(
            f"KITEHUB_BASE_URL is {url!r}; set it to an address such as https://hub.example.vn."
        )
    return url


def _email() -> dict[str, Any]:
    """What EMAIL_URL says of the way to send mail, as Django's settings; the console by default."""
    url = env.str("EMAIL_URL", default="").strip() or "consolemail://"
    scheme = url.partition(":")[0]
    if scheme not in environ.Env.EMAIL_SCHEMES:
        known = ", ".join(sorted(environ.Env.EMAIL_SCHEMES))
        raise ImproperlyConfigured(f"EMAIL_URL begins with {scheme!r}; there are {known}.")
    try:
        said = environ.Env.email_url_config(url)
    except ValueError:  # a port that is no number; the error would show the password
        raise ImproperlyConfigured("EMAIL_URL can't be read: see docs/settings.md.") from None
    return {name: value for name, value in said.items() if name.startswith("EMAIL_")}


def _plans() -> Any:
    """What KITEHUB_PLANS changes in the tier catalogue: JSON, or the path of a file with JSON."""
    value = env.str("KITEHUB_PLANS", default="").strip()
    if not value:
        return {}
    try:
        text = value if value.startswith("{") else Path(value).expanduser().read_text("utf-8")
        return json.loads(text)
    except OSError as error:
        raise ImproperlyConfigured(
            f"KITEHUB_PLANS is neither JSON nor a file: {error.strerror}: {value!r}."
        ) from None
    except ValueError as error:  # JSON's and UTF-8's
        raise ImproperlyConfigured(f"KITEHUB_PLANS holds no JSON: {error}.") from None


def _whole(name: str, default: str, count: int = 1) -> tuple[int, ...]:
    """So many whole numbers, separated by commas, each as large as the one before or larger."""
    value = env.str(name, default="").strip() or default
    parts = [part.strip() for part in value.split(",")]
    if len(parts) != count or not all(part.isascii() and part.isdigit() for part in parts):
        what = "a whole number" if count == 1 else f"{count} whole numbers such as {default}"
        raise ImproperlyConfigured(f"{name} must be {what}, not {value!r}.")
    numbers = tuple(int(part) for part in parts)
    if list(numbers) != sorted(numbers) or numbers[-1] > 366:
        raise ImproperlyConfigured(f"{name} is of days that go up to 366 at most, not {value!r}.")
    return numbers


# --- Environment ------------------------------------------------------------------------------

DEBUG = _flag("DJANGO_DEBUG", default=True)
# DEBUG is on because nobody said otherwise, while somebody named a database: it may be a real one.
DEBUG_IS_ASSUMED = (
    DEBUG
    and not env.str("DJANGO_DEBUG", default="").strip()
    and bool(env.str("DATABASE_URL", default="").strip())
)
SECRET_KEY = _secret("SECRET_KEY", development="development-only-" + "0" * 48)
# Newest key first; the rest still decrypt. The development key protects nothing.
KITEHUB_FIELD_KEYS = [
    key.strip()
    for key in _secret(
        "KITEHUB_FIELD_KEYS", development="ZGV2ZWxvcG1lbnQtb25seS1rZXktMDAwMDAwMDAwMDA="
    ).split(",")
]
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["localhost", "127.0.0.1", "[::1]"])
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[])
# Where the embedded server and the demo's files live.
DATA_DIR = Path(env.str("KITEHUB_DATA_DIR", default=str(BASE_DIR / ".data"))).expanduser()

# --- Applications -----------------------------------------------------------------------------

INSTALLED_APPS = [
    # Before unfold, one of whose templates it adds to.
    "kitehub",
    "unfold",
    "unfold.contrib.filters",
    "procrastinate.contrib.django",
    "kitehub.jobs",
    "billing",
    "analytics",
    "branding",
    "storage",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    # For the static files and templates of the API's pages, which would come from a CDN otherwise.
    "ninja",
]
MIDDLEWARE = [
    # First, so that it sees what the others refuse.
    "kitehub.middleware.ApiMiddleware",
    "kitehub.middleware.ContentPolicyMiddleware",
    "kitehub.middleware.PortalMiddleware",
    "django.middleware.security.SecurityMiddleware",
    # With DEBUG on, runserver finds the files itself.
    *([] if DEBUG else ["whitenoise.middleware.WhiteNoiseMiddleware"]),
    "django.contrib.sessions.middleware.SessionMiddleware",
    "kitehub.middleware.ChosenLanguageMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "kitehub.sign_in.SignedInMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
ROOT_URLCONF = "kitehub.urls"
WSGI_APPLICATION = "kitehub.wsgi.application"
ASGI_APPLICATION = "kitehub.asgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]

# --- Data -------------------------------------------------------------------------------------

DATABASES = {"default": _database()}
# Tenants' tables go where their instance lives.
DATABASE_ROUTERS = ["kitehub.tenancy.router.TenantRouter"]
# What differs from kitehub/plans.py, by tier: {"BASIC": {"monthly_price": 349000}}.
KITEHUB_PLANS = _plans()
# After how many days past the end of what is paid a school is warned, may change nothing more, and
# has nothing more; how many days before it the order for the next period is opened.
KITEHUB_GRACE = _whole("KITEHUB_GRACE", "0,3,7", 3)
(KITEHUB_RENEWAL_DAYS,) = _whole("KITEHUB_RENEWAL_DAYS", "7")
# Hours without a message after which a bank feed counts as silent, and nobody's grace runs on.
(KITEHUB_FEED_SILENCE,) = _whole("KITEHUB_FEED_SILENCE", "72")
# Đồng that one person may give schools alone in a day, in credit and days; for more it takes two.
KITEHUB_GOODWILL_ALONE = _count("KITEHUB_GOODWILL_ALONE", 0, "đồng")
# How many silos a thread stays connected to; the least recently used one is closed.
KITEHUB_OPEN_SILOS = 8
# Beside the platform's own server: where else schools may have databases of their own, by name.
KITEHUB_SILO_SERVERS = servers(env.str("KITEHUB_SILO_SERVERS", default=""))
# The folder, one for all workers, that the archives of schools go to that staff close.
KITEHUB_ARCHIVES = env.str("KITEHUB_ARCHIVES", default="").strip()
# What this site is called from outside, for addresses in mail and answers: https://kitehub.vn.
# Never the name that a request claims to be for.
KITEHUB_BASE_URL = _site_url()
# Where KiteHub itself is paid to. Development has an account that is nobody's.
KITEHUB_BANK_BIN = env.str("KITEHUB_BANK_BIN", default="970436" if DEBUG else "").strip()
KITEHUB_BANK_ACCOUNT = env.str(
    "KITEHUB_BANK_ACCOUNT", default="0123499999" if DEBUG else ""
).strip()
KITEHUB_BANK_ACCOUNT_NAME = env.str(
    "KITEHUB_BANK_ACCOUNT_NAME", default="CONG TY KITEHUB" if DEBUG else ""
).strip()
# Who receives the money, as receipts name them.
KITEHUB_SELLER_NAME = env.str("KITEHUB_SELLER_NAME", default="").strip() or "KiteHub"
KITEHUB_SELLER_ADDRESS = env.str("KITEHUB_SELLER_ADDRESS", default="").strip()
KITEHUB_SELLER_TAX_CODE = env.str("KITEHUB_SELLER_TAX_CODE", default="").strip()
KITEHUB_SELLER_CONTACT = env.str("KITEHUB_SELLER_CONTACT", default="").strip()
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
AUTH_USER_MODEL = "kitehub.User"
AUTHENTICATION_BACKENDS = ["kitehub.sign_in.ThrottledBackend"]
# Seconds that a link to set a new password is good for.
PASSWORD_RESET_TIMEOUT = 24 * 60 * 60
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": name}
    for name in (
        "django.contrib.auth.password_validation.UserAttributeSimilarityValidator",
        # Also hears of every new password.
        "kitehub.sign_in.WatchedPasswords",
        "django.contrib.auth.password_validation.CommonPasswordValidator",
        "django.contrib.auth.password_validation.NumericPasswordValidator",
    )
]
# Whether all staff must sign in with a one-time code, or each as they like.
KITEHUB_STAFF_TOTP = _staff_totp()

# --- Bank feeds -------------------------------------------------------------------------------


def _secrets(name: str) -> tuple[str, ...]:
    """Several secrets, comma-separated, while one is being replaced; none where it is unset."""
    return tuple(each.strip() for each in env.str(name, default="").split(",") if each.strip())


# By service: what is sent as it is, and what signs. A service without either can't send anything.
KITEHUB_WEBHOOK_SECRETS = {
    "sepay": {
        "tokens": _secrets("SEPAY_API_KEYS"),
        "signing_keys": _secrets("SEPAY_WEBHOOK_SECRETS"),
    },
    "payos": {"signing_keys": _secrets("PAYOS_CHECKSUM_KEYS")},
    "casso": {
        "tokens": _secrets("CASSO_SECURE_TOKENS"),
        "signing_keys": _secrets("CASSO_WEBHOOK_KEYS"),
    },
}

# --- Languages and time -----------------------------------------------------------------------

LANGUAGE_CODE = "vi"
LANGUAGES = [("vi", "Tiếng Việt"), ("en", "English")]
LOCALE_PATHS = [
    BASE_DIR / "kitehub" / "locale",
    # Vietnamese that Django and unfold lack or have wrong.
    BASE_DIR / "kitehub" / "locale" / "third_party",
]
FORMAT_MODULE_PATH = ["kitehub.formats"]
# The three *_INPUT_FORMATS imported above are for code that asks the settings, not the language.
USE_I18N = True
USE_TZ = True
# People's time; the database keeps UTC.
TIME_ZONE = "Asia/Ho_Chi_Minh"

# --- Static files -----------------------------------------------------------------------------

STATIC_URL = "static/"
STATIC_ROOT = BASE_DIR / "static-root"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if DEBUG
        else "whitenoise.storage.CompressedManifestStaticFilesStorage"
    },
}

# --- Security ---------------------------------------------------------------------------------

DEFAULT_EXCEPTION_REPORTER_FILTER = "kitehub.error_reports.ReportFilter"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = LANGUAGE_COOKIE_SECURE = not DEBUG
SESSION_COOKIE_HTTPONLY = True
CSRF_FAILURE_VIEW = "kitehub.error_pages.csrf_failure"
SECURE_SSL_REDIRECT = _flag("SECURE_SSL_REDIRECT", default=not DEBUG)
# Load balancers ask from within.
SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$"]
# Browsers remember this for a year: a new site may want to begin with an hour.
SECURE_HSTS_SECONDS = _count(
    "SECURE_HSTS_SECONDS", default=0 if DEBUG else 60 * 60 * 24 * 365, of="seconds"
)
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = _flag(
    "SECURE_HSTS_INCLUDE_SUBDOMAINS", default=not DEBUG
)
if _flag("BEHIND_HTTPS_PROXY", default=False):
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")

# --- Mail -------------------------------------------------------------------------------------

_mail = _email()
EMAIL_BACKEND = _mail["EMAIL_BACKEND"]
EMAIL_HOST = _mail.get("EMAIL_HOST") or "localhost"
EMAIL_HOST_USER = _mail.get("EMAIL_HOST_USER") or ""
EMAIL_HOST_PASSWORD = _mail.get("EMAIL_HOST_PASSWORD") or ""
EMAIL_USE_TLS = bool(_mail.get("EMAIL_USE_TLS"))
EMAIL_USE_SSL = bool(_mail.get("EMAIL_USE_SSL"))
EMAIL_PORT = _mail.get("EMAIL_PORT") or (465 if EMAIL_USE_SSL else 587 if EMAIL_USE_TLS else 25)
EMAIL_FILE_PATH = _mail.get("EMAIL_FILE_PATH") or None
# Seconds; a server that doesn't answer must not keep a worker.
EMAIL_TIMEOUT = 20
DEFAULT_FROM_EMAIL = SERVER_EMAIL = env.str(
    "DEFAULT_FROM_EMAIL", default="KiteHub <no-reply@localhost>"
)

# The back office has a way in of its own.
LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "home"

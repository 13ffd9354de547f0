"""The names that schools have in the DNS: what a subdomain and a domain of one's own may be.

`clean_subdomain` and `clean_domain` return the name as it is stored, in lower case and in the DNS's
own letters, or raise a ValidationError that says what is wrong. They are not validators of the
model's fields: rows may have older names, and validators would be written into migrations.
"""

import ipaddress
import re
import unicodedata

import idna
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

# As the columns have it. A label of the DNS may have 63, a name 253.
SUBDOMAIN_LENGTH = 50
LABEL_LENGTH = 63
DOMAIN_LENGTH = 253

# Names that people would take for the platform itself, that mail and browsers ask for by
# themselves, or that the platform may need.
_RESERVED = """
    about abuse account accounts admin administrator analytics api app apps assets auth autoconfig
    autodiscover backoffice beta billing blog branding careers cdn chat cms collector console
    contact dashboard db demo dev developer developers dns docs download email events example faq
    files ftp git go guest guests hello help helpdesk home host hostmaster id image images imap img
    info internal invoice invoices isatap kite kitehub legal live local localdomain localhost login
    logout m mail mailer media metrics mobile monitor mx mysql news noc ns ns1 ns2 ns3 ns4 oauth
    official order orders owner owners partner partners pay payment payments ping pop pop3 portal
    postgres postmaster preview privacy proxy public register registry root sales sandbox school
    schools search secure security server sftp shop signin signup sip site sites smtp spam sql ssh
    ssl sso staff staging static stats status storage store support sysadmin system team terms test
    testing tls tools uploads usenet user users uucp vietqr vpn web webhook webhooks webmail
    webmaster wiki wpad ws www www1 www2 xmpp
"""
RESERVED = frozenset(_RESERVED.split())
# What else ends a label, beside the full stop: typed on an East Asian keyboard.
_STOPS = re.compile("[.\u3002\uff0e\uff61]")
# Scripts whose letters look alike.
_ALIKE = {"LATIN", "CYRILLIC", "GREEK"}
# Cyrillic and Greek letters that pass for Latin ones: Unicode Technical Standard 39, confusables.
_PASS_FOR_LATIN = frozenset(
    "\u0430\u0435\u043e\u0440\u0441\u0443\u0445\u0455\u0456\u0458\u0475\u0491\u04bb\u04cf\u0501\u051b\u051d\u03b1\u03b3\u03b9\u03ba\u03bd\u03bf\u03c1\u03c3\u03c5"
)


def clean_subdomain(text: str) -> str:
    """The label before the platform's own domain, as it is stored."""
    text = text.strip()
    # Before lower(), which makes an ASCII letter of the Kelvin sign.
    if not text.isascii() or not re.fullmatch("[a-z0-9-]+", label := text.lower()):
        raise ValidationError(
            _("Use only the letters a to z without accents, digits and hyphens."), code="letters"
        )
    if len(label) > SUBDOMAIN_LENGTH:
        raise _too_long(SUBDOMAIN_LENGTH)
    _check_hyphens(label)
    if label in RESERVED:
        raise ValidationError(
            _("“%(name)s” is kept for the platform. Choose another name."),
            code="reserved",
            params={"name": label},
        )
    return label


def clean_domain(text: str) -> str:
    """A whole host name that somebody owns, as it is stored: `xn--trng-rib8295b.vn`."""
    text = text.strip()
    _check_is_no_address(text)
    labels = _STOPS.split(text.removesuffix("."))
    if len(labels) < 2:
        raise ValidationError(
            _("Enter the whole domain, such as truong.vn."), code="too_few_labels"
        )
    name = ".".join(_clean_label(label) for label in labels)
    if re.fullmatch("[0-9]+|0x[0-9a-f]*", name.rpartition(".")[2]):
        raise _is_ip()
    if len(name) > DOMAIN_LENGTH:
        raise _too_long(DOMAIN_LENGTH)
    return name


def _check_is_no_address(text: str) -> None:
    """Refuses what people paste instead of a host name, in words of its own."""
    try:
        ipaddress.ip_address(text.strip("[]"))
    except ValueError:
        pass
    else:
        raise _is_ip()
    if "/" in text or "@" in text or "?" in text or "#" in text:
        raise ValidationError(
            _("Enter only the domain: without https://, without a path."), code="address"
        )
    if ":" in text:
        raise ValidationError(_("Enter the domain without a port."), code="port")
    if "*" in text:
        raise ValidationError(
            _("A domain with * stands for many; enter a single one."), code="wildcard"
        )


def _clean_label(text: str) -> str:
    """One label in the DNS's own letters."""
    # As it would be looked up: full-width letters and capitals are plain ones.
    shown = unicodedata.normalize("NFKC", text).lower()
    if not shown:
        raise ValidationError(_("A domain has no two dots in a row."), code="empty_label")
    encoded = shown.startswith("xn--")
    if not encoded:
        _check_hyphens(shown)
    try:
        label = idna.encode(shown).decode("ascii")
        shown = idna.decode(label)
    except (idna.IDNAError, UnicodeError):
        if len(shown.encode()) > LABEL_LENGTH:
            raise _too_long(LABEL_LENGTH) from None
        raise ValidationError(
            _("“%(name)s” cannot be part of a domain: use letters, digits and hyphens."),
            code="label",
            params={"name": shown},
        ) from None
    scripts = {unicodedata.name(letter, "").partition(" ")[0] for letter in shown}
    if len(scripts & _ALIKE) > 1:
        raise ValidationError(
            _("“%(name)s” mixes letters of several scripts that look alike."),
            code="mixed_scripts",
            params={"name": shown},
        )
    if any(letter.isalpha() for letter in shown) and _PASS_FOR_LATIN.issuperset(
        letter for letter in shown if letter.isalpha()
    ):
        raise ValidationError(
            _("“%(name)s” is written in letters that look like Latin ones and are not."),
            code="homograph",
            params={"name": shown},
        )
    return label


def _check_hyphens(label: str) -> None:
    if label.startswith("-") or label.endswith("-"):
        raise ValidationError(_("A hyphen may be neither first nor last."), code="hyphen")
    # Kept for names in other scripts, "xn--…", which look like what they are not.
    if label[2:4] == "--":
        raise ValidationError(
            _("The third and fourth characters may not both be hyphens."), code="hyphens"
        )


def _too_long(most: int) -> ValidationError:
    return ValidationError(
        _("At most %(most)s characters, please."), code="too_long", params={"most": most}
    )


def _is_ip() -> ValidationError:
    return ValidationError(_("This is an IP address. Enter a domain."), code="ip")

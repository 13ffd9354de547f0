"""The roles of staff: what each may do, said once, for groups, tests, the admin and the docs.

A power is one thing that people do, and the permissions that it takes. Groups get theirs from here
(`kitehub.services.roles`); a permission that no power names must be among those of superusers
alone. Least privilege: a role has what its working day needs, and looking is not doing.
"""

from dataclasses import dataclass
from typing import Any

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _


class Role(TextChoices):
    """What a member of staff is there for."""

    SUPPORT = "SUPPORT", _("Support")
    FINANCE = "FINANCE", _("Finance")
    OPERATOR = "OPERATOR", _("Operations")
    AUDITOR = "AUDITOR", _("Audit (read-only)")


# What the groups are called in the beginning. Staff may call them otherwise.
GROUP_NAMES = {
    Role.SUPPORT: "Hỗ trợ",
    Role.FINANCE: "Kế toán",
    Role.OPERATOR: "Vận hành",
    Role.AUDITOR: "Kiểm soát (chỉ xem)",
}
SUPPORT, FINANCE, OPERATOR, AUDITOR = Role
EVERYBODY = (SUPPORT, FINANCE, OPERATOR, AUDITOR)


@dataclass(frozen=True)
class Power:
    """One thing that people do, in a sentence; the permissions it takes; the roles that have it."""

    text: Any
    permissions: tuple[str, ...]
    roles: tuple[Role, ...]


def _on(app: str, verbs: str, models: str) -> tuple[str, ...]:
    """Permissions by Django's names: each verb on each model."""
    return tuple(f"{app}.{verb}_{model}" for verb in verbs.split() for model in models.split())


POWERS = (
    # --- Looking --------------------------------------------------------------------------------
    Power(
        _("See schools, their configuration, moves, suspensions and ends"),
        _on(
            "kitehub",
            "view",
            "instance instanceconfig instancemove instancesuspension instancegate tombstone",
        ),
        EVERYBODY,
    ),
    Power(_("Read notes of colleagues"), _on("kitehub", "view", "note"), EVERYBODY),
    Power(_("See people and how to reach them"), _on("kitehub", "view", "user"), EVERYBODY),
    Power(_("See what each role may do"), _on("kitehub", "view", "staffrole"), EVERYBODY),
    Power(
        _("See subscriptions and their history"),
        _on(
            "billing",
            "view",
            "subscription subscriptionhistory subscriptionperiod subscriptionadjustment",
        ),
        EVERYBODY,
    ),
    Power(
        _("See orders, bank transfers and receipts"),
        _on(
            "billing",
            "view",
            "paymentorder orderview banktransfer plannedmatch paymentallocation receipt",
        ),
        (SUPPORT, FINANCE, AUDITOR),
    ),
    Power(
        _("See credit, goodwill, refunds and payments entered by hand"),
        _on("billing", "view", "creditbalance creditentry goodwill refund manualpayment"),
        (SUPPORT, FINANCE, AUDITOR),
    ),
    Power(
        _("See what is earned, how receipts are numbered and statements are read"),
        _on("billing", "view", "dailyfigure figureentry receiptcounter statementmapping"),
        (FINANCE, AUDITOR),
    ),
    Power(
        _("See what a bank's message said word for word"),
        ("billing.view_raw_body",),
        (FINANCE, AUDITOR),
    ),
    Power(
        _("See bank feeds and their silences"),
        _on("billing", "view", "bankfeed feedsilence"),
        (FINANCE, OPERATOR, AUDITOR),
    ),
    Power(
        _("See mail that was sent, and what could not be"),
        _on("kitehub", "view", "email"),
        (SUPPORT, OPERATOR, AUDITOR),
    ),
    Power(
        _("See storage, visitors, branding jobs and how databases do"),
        (
            *_on("kitehub", "view", "instancewatch"),
            *_on("storage", "view", "storageusage storageevent reservation tierlimit"),
            *_on("analytics", "view", "guestsession guestevent"),
            *_on("branding", "view", "brandingjob"),
        ),
        (SUPPORT, OPERATOR, AUDITOR),
    ),
    Power(
        _("See background jobs, API keys without their secrets, and archives"),
        (
            *_on("jobs", "view", "job jobfailure"),
            *_on("kitehub", "view", "apikey archiverun instancechange"),
        ),
        (OPERATOR, AUDITOR),
    ),
    Power(
        _("See the security log, open sessions and who has which role"),
        (
            *_on("kitehub", "view", "securityevent signedinsession secondfactor signinattempts"),
            *_on("auth", "view", "group permission"),
            *_on("admin", "view", "logentry"),
        ),
        (AUDITOR,),
    ),
    # --- Money ----------------------------------------------------------------------------------
    Power(
        _("Match bank transfers, discard them, import statements"),
        ("billing.match_transfer", "billing.import_statement"),
        (FINANCE,),
    ),
    Power(
        _("Open, change, cancel and reopen orders"),
        (
            *_on("billing", "add change", "paymentorder"),
            *("billing.cancel_order", "billing.reopen_order"),
        ),
        (FINANCE,),
    ),
    Power(_("Enter payments by hand, with evidence"), ("billing.mark_paid",), (FINANCE,)),
    Power(
        _("Decide payments that somebody else entered by hand"),
        ("billing.approve_payment",),
        (FINANCE,),
    ),
    Power(
        _("Propose days for subscriptions; pause, cancel and change them"),
        (
            *_on("billing", "change", "subscription"),
            *("billing.extend_subscription", "billing.change_plan"),
        ),
        (FINANCE,),
    ),
    Power(
        _("Ask for refunds"),
        ("billing.request_refund",),
        (FINANCE,),
    ),
    Power(
        _("Decide refunds that somebody else asked for, and send them"),
        ("billing.approve_refund",),
        (FINANCE,),
    ),
    Power(_("Propose credit for schools"), ("billing.grant_credit",), (FINANCE,)),
    Power(
        _("Decide goodwill that somebody else proposed"),
        ("billing.approve_goodwill",),
        (FINANCE,),
    ),
    Power(_("Make receipts void"), _on("billing", "change", "receipt"), (FINANCE,)),
    # --- Operations -----------------------------------------------------------------------------
    Power(
        _("Open, provision, suspend, move and close schools"),
        (
            *_on("kitehub", "add change", "instance"),
            *_on("kitehub", "provision move suspend close", "instance"),
        ),
        (OPERATOR,),
    ),
    Power(
        _("Change the configuration of schools"),
        _on("kitehub", "add change", "instanceconfig"),
        (OPERATOR,),
    ),
    Power(
        _("Issue, rotate and revoke API keys"),
        _on("kitehub", "add change", "apikey"),
        (OPERATOR,),
    ),
    Power(
        _("Try failed jobs again, and take jobs out of the queue"),
        _on("jobs", "retry cancel", "job"),
        (OPERATOR,),
    ),
    Power(
        _("Start and change branding jobs"),
        _on("branding", "add change", "brandingjob"),
        (OPERATOR,),
    ),
    # --- Support and everybody ------------------------------------------------------------------
    Power(
        _("Write notes, and take one's own back"),
        _on("kitehub", "add", "note"),
        (SUPPORT, FINANCE, OPERATOR),
    ),
    Power(_("Send mail again"), _on("kitehub", "change", "email"), (SUPPORT, OPERATOR)),
)

# Nobody else's: who is staff and what groups may do, ways into other people's accounts, deletion,
# and what the admin offers nobody because services and triggers alone write it.
SUPERUSERS_ALONE = frozenset(
    {
        *_on("kitehub", "add change delete", "user staffrole secondfactor"),
        *_on("kitehub", "change delete", "note"),
        *_on("kitehub", "add change delete", "instancewatch"),
        *_on("billing", "add change delete", "orderview dailyfigure figureentry"),
        *_on("billing", "add change delete", "manualpayment plannedmatch goodwill"),
        *_on("auth", "add change delete", "group permission"),
        *_on("admin", "add change delete", "logentry"),
        *_on("kitehub", "delete", "instance instanceconfig apikey email"),
        # Where the money of a school's students goes: no second person looks at that yet.
        *("kitehub.change_bank_account", "kitehub.change_owner"),
        *_on("billing", "add change delete", "banktransfer refund creditentry"),
        *_on("billing", "delete", "paymentorder subscription receipt"),
        *_on("branding", "delete", "brandingjob"),
        *_on("jobs", "add change delete", "job"),
        *_on("jobs", "add change delete", "jobfailure"),
        *_on("kitehub", "add", "email"),
        *_on("kitehub", "add change delete", "instancegate instancechange instancemove"),
        *_on("kitehub", "add change delete", "instancesuspension tombstone archiverun"),
        *_on("kitehub", "add change delete", "securityevent signedinsession signinattempts"),
        *_on("billing", "add", "subscription receipt"),
        *_on("billing", "add change delete", "paymentallocation creditbalance receiptcounter"),
        *_on("billing", "add change delete", "bankfeed feedsilence statementmapping"),
        *_on("billing", "add change delete", "subscriptionhistory subscriptionperiod"),
        *_on("billing", "add change delete", "subscriptionadjustment"),
        *_on("analytics", "add change delete", "guestsession guestevent"),
        *_on("storage", "add change delete", "storageusage storageevent reservation tierlimit"),
    }
)


def permissions_of(role: Role) -> frozenset[str]:
    """All permissions of a role, as `app.codename`."""
    return frozenset(
        permission for power in POWERS if role in power.roles for permission in power.permissions
    )


def powers_of(role: Role) -> tuple[Power, ...]:
    """What a role may do, in the order of the table."""
    return tuple(power for power in POWERS if role in power.roles)

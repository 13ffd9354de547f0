"""How the back office looks, and what its sidebar lists: the setting that unfold reads."""

from typing import Any

from django.templatetags.static import static
from django.urls import reverse_lazy
from django.utils.translation import gettext_lazy as _


def _page(icon: str, title: Any, model: str) -> dict[str, Any]:
    """A line of the sidebar: the list of a model, for those who may see it."""
    app, name = model.split(".")
    link = reverse_lazy(f"admin:{app}_{name}_changelist")
    return {
        "title": title,
        "icon": icon,
        "link": link,
        "active": lambda request: _is_below(request.path, str(link)),
        "permission": lambda request: request.user.has_perm(f"{app}.view_{name}"),
    }


def _is_below(path: str, page: str) -> bool:
    """Whether a page belongs to a list: the inbox has a line of its own."""
    return path.startswith(page) and not path.startswith(f"{page}inbox/")


def _own(name: str) -> Any:
    """One of the back office's own files, found when a page asks for it."""
    return lambda request: static(f"kitehub/backoffice/{name}")


def without_inline_colours(request: Any) -> dict[str, None]:
    """Keeps unfold from writing the colours into each page: they are in colours.css."""
    return {"colors": None}


UNFOLD = {
    "SITE_TITLE": "KiteHub",
    "SITE_HEADER": "KiteHub",
    "SITE_SUBHEADER": _("Back office"),
    "SITE_SYMBOL": "school",
    "SITE_URL": None,
    "SHOW_HISTORY": True,
    "SHOW_VIEW_ON_SITE": False,
    "SHOW_LANGUAGES": True,
    "SITE_FAVICONS": [
        {"rel": "icon", "type": "image/svg+xml", "href": lambda request: static("kitehub/kite.svg")}
    ],
    "DASHBOARD_CALLBACK": "kitehub.admin.dashboard.page.context",
    "GLOBAL_CALLBACK": "kitehub.theme.without_inline_colours",
    "STYLES": [_own("colours.css"), _own("pages.css")],
    "SCRIPTS": [_own("keyboard.js"), _own("sending.js")],
    "ACCOUNT": {
        "navigation": [
            {
                "title": _("Sign in with a code"),
                "link": reverse_lazy("admin:kitehub_user_second_factor"),
            }
        ]
    },
    "SIDEBAR": {
        "navigation": [
            {
                "items": [
                    {
                        "title": _("Overview"),
                        "icon": "dashboard",
                        "link": reverse_lazy("admin:index"),
                    }
                ],
            },
            {
                "title": _("Money"),
                "items": [
                    {
                        "title": _("Inbox of transfers"),
                        "icon": "inbox",
                        "link": reverse_lazy("admin:billing_banktransfer_inbox"),
                        "permission": lambda request: request.user.has_perm(
                            "billing.view_banktransfer"
                        ),
                    },
                    _page("receipt_long", _("Payment orders"), "billing.paymentorder"),
                    _page("account_balance", _("Bank transfers"), "billing.banktransfer"),
                    _page("autorenew", _("Subscriptions"), "billing.subscription"),
                    _page("history", _("Subscription history"), "billing.subscriptionhistory"),
                    _page("date_range", _("Periods"), "billing.subscriptionperiod"),
                    _page("receipt", _("Receipts"), "billing.receipt"),
                    _page("undo", _("Refunds"), "billing.refund"),
                    _page("payments", _("Payments by hand"), "billing.manualpayment"),
                    _page("savings", _("Credit"), "billing.creditentry"),
                    _page("redeem", _("Goodwill"), "billing.goodwill"),
                ],
            },
            {
                "title": _("Schools"),
                "items": [
                    _page("school", _("Instances"), "kitehub.instance"),
                    _page("tune", _("Instance configs"), "kitehub.instanceconfig"),
                    _page("key", _("API keys"), "kitehub.apikey"),
                    _page("palette", _("Branding jobs"), "branding.brandingjob"),
                    _page("inventory_2", _("Closed schools"), "kitehub.tombstone"),
                ],
            },
            {
                "title": _("Guests"),
                "items": [
                    _page("groups", _("Guest sessions"), "analytics.guestsession"),
                    _page("ads_click", _("Guest events"), "analytics.guestevent"),
                ],
            },
            {
                "title": _("Storage"),
                "items": [
                    _page("database", _("Storage usage"), "storage.storageusage"),
                    _page("upload_file", _("Storage events"), "storage.storageevent"),
                ],
            },
            {
                "title": _("People"),
                "items": [
                    _page("person", _("Users"), "kitehub.user"),
                    _page("group", _("Groups"), "auth.group"),
                    _page("badge", _("Roles"), "kitehub.staffrole"),
                    _page("policy", _("Security log"), "kitehub.securityevent"),
                    _page("devices", _("Open sessions"), "kitehub.signedinsession"),
                ],
            },
            {
                "title": _("Operations"),
                "items": [
                    _page("pending_actions", _("Background jobs"), "jobs.job"),
                    _page("rss_feed", _("Bank feeds"), "billing.bankfeed"),
                    _page("mail", _("E-mails"), "kitehub.email"),
                    _page("monitor_heart", _("States of databases"), "kitehub.instancewatch"),
                    _page("move_down", _("Moves"), "kitehub.instancemove"),
                ],
            },
        ],
    },
}

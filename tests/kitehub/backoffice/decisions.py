"""Who may open and send what in the back office, decided here: the tests hold every address to it.

A permission stands for the roles that have it in kitehub/roles.py, several for those that have all.
An address, action or model that is not here fails the tests, so that nobody forgets to decide.
"""

# For any member of staff, whatever their role.
STAFF = "staff"
# For nobody, superusers included.
NOBODY = "nobody"

# What may be done on each model's pages beside looking, by Django's verbs and permissions.
PAGES = {
    "admin.logentry": "",
    "auth.group": "add change delete",
    "analytics.guestevent": "",
    "analytics.guestsession": "",
    "billing.bankfeed": "",
    "billing.banktransfer": "",
    "billing.creditbalance": "",
    "billing.creditentry": "",
    "billing.dailyfigure": "",
    "billing.feedsilence": "",
    "billing.figureentry": "",
    "billing.goodwill": "",
    "billing.manualpayment": "",
    "billing.orderview": "",
    "billing.paymentallocation": "",
    "billing.paymentorder": "add change delete",
    "billing.plannedmatch": "",
    "billing.receipt": "",
    "billing.receiptcounter": "",
    "billing.refund": "",
    "billing.statementmapping": "",
    "billing.subscription": "change delete",
    "billing.subscriptionadjustment": "",
    "billing.subscriptionhistory": "",
    "billing.subscriptionperiod": "",
    "branding.brandingjob": "add change delete",
    "jobs.job": "",
    "kitehub.apikey": "add",
    "kitehub.archiverun": "",
    "kitehub.email": "",
    "kitehub.instance": "add change delete",
    "kitehub.instancechange": "",
    "kitehub.instanceconfig": "add change delete",
    "kitehub.instancegate": "",
    "kitehub.instancemove": "",
    "kitehub.instancesuspension": "",
    "kitehub.instancewatch": "",
    "kitehub.note": "",
    "kitehub.secondfactor": "",
    "kitehub.securityevent": "",
    "kitehub.signedinsession": "",
    "kitehub.signinattempts": "",
    "kitehub.staffrole": "",
    "kitehub.tombstone": "",
    "kitehub.user": "add change",
    "storage.reservation": "",
    "storage.storageevent": "",
    "storage.storageusage": "",
    "storage.tierlimit": "",
}

# Pages and actions with addresses of their own.
ADDRESSES = {
    "index": STAFF,
    "search": STAFF,
    "jsi18n": STAFF,
    "password_change": STAFF,
    "password_change_done": STAFF,
    "auth_user_password_change": "kitehub.change_user",
    "jobs_job_requeue": "jobs.retry_job",
    "kitehub_apikey_rotate": "kitehub.add_apikey",
    "kitehub_apikey_revoke": "kitehub.change_apikey",
    "kitehub_email_send_again": "kitehub.change_email",
    "kitehub_instance_open": "kitehub.add_instance",
    "kitehub_instance_open_school": "kitehub.add_instance",
    "kitehub_instance_restore": "kitehub.delete_instance",
    "kitehub_instance_change_tier": "billing.change_plan",
    "kitehub_instance_change_bank_account": "kitehub.change_bank_account",
    "kitehub_instance_change_owner": "kitehub.change_owner",
    "kitehub_instance_suspend_one": "kitehub.suspend_instance",
    "kitehub_instance_resume_one": "kitehub.suspend_instance",
    "kitehub_instance_finish_opening": "kitehub.provision_instance",
    "kitehub_instanceconfig_restore": "kitehub.delete_instanceconfig",
    "billing_banktransfer_inbox_assign": "billing.match_transfer",
    "billing_banktransfer_inbox_undo": "billing.match_transfer",
    "billing_banktransfer_take_back": "billing.match_transfer",
    "billing_banktransfer_take_credit_back": "billing.match_transfer",
    "billing_banktransfer_unmatch": "billing.match_transfer",
    "billing_banktransfer_inbox": "billing.view_banktransfer",
    "billing_refund_add": "billing.request_refund",
    "billing_creditentry_give": "billing.grant_credit",
    "billing_goodwill_add": "billing.grant_credit",
    "billing_goodwill_approve": "billing.approve_goodwill",
    "billing_goodwill_decline": "billing.approve_goodwill",
    "billing_goodwill_withdraw": "billing.grant_credit",
    "billing_subscription_change_tier": "billing.change_plan",
    "billing_subscription_lower": "billing.change_plan",
    "billing_subscription_keep_tier": "billing.change_plan",
    "billing_subscription_go_on": "billing.change_plan",
    "billing_subscription_stop": "billing.change_plan",
    "billing_manualpayment_confirm": "billing.approve_payment",
    "billing_manualpayment_reject": "billing.mark_paid",
    "billing_paymentorder_cancel": "billing.cancel_order",
    "billing_paymentorder_mark_paid": "billing.mark_paid",
    "billing_paymentorder_prolong": "billing.reopen_order",
    "billing_paymentorder_reopen": "billing.reopen_order",
    "billing_paymentorder_send_again": "billing.reopen_order",
    "jobs_job_cancel": "jobs.cancel_job",
    "kitehub_instance_move": "kitehub.move_instance",
    "kitehub_instance_abort_move": "kitehub.move_instance",
    "kitehub_instance_go_on_with_move": "kitehub.move_instance",
    "kitehub_instance_purge_moves": "kitehub.move_instance",
    "kitehub_instance_work": "kitehub.view_instance",
    "kitehub_instance_close": "kitehub.close_instance",
    "kitehub_instance_finish_closing": "kitehub.close_instance",
    "kitehub_instance_reopen": "kitehub.close_instance",
    "kitehub_instance_why": "kitehub.view_instance",
    "kitehub_user_second_factor": STAFF,
    "kitehub_user_signed_in": STAFF,
    # Of others; their own sessions people end themselves.
    "kitehub_user_end_sessions": "kitehub.change_user",
    "kitehub_user_reset_codes": "kitehub.change_user",
    "kitehub_note_withdraw": "kitehub.add_note",
    "billing_banktransfer_statement": "billing.import_statement",
    "billing_banktransfer_import_statement": "billing.import_statement",
    "billing_banktransfer_assign": "billing.match_transfer",
    "billing_banktransfer_keep": "billing.match_transfer",
    "billing_banktransfer_discard": "billing.match_transfer",
    "billing_banktransfer_same_money": "billing.match_transfer",
    "billing_banktransfer_other_money": "billing.match_transfer",
    "billing_banktransfer_bring_back": "billing.match_transfer",
    "billing_banktransfer_refund": "billing.request_refund",
    "billing_paymentorder_restore": "billing.delete_paymentorder",
    "billing_paymentorder_refund": "billing.request_refund",
    "billing_paymentorder_take_off": "billing.match_transfer",
    "billing_receipt_page": "billing.view_receipt",
    "billing_receipt_pdf": "billing.view_receipt",
    "billing_receipt_void": "billing.change_receipt",
    "billing_refund_payouts": "billing.approve_refund",
    "billing_refund_approve": "billing.approve_refund",
    "billing_refund_reject": "billing.request_refund",
    "billing_refund_mark_sent": "billing.approve_refund",
    "billing_subscription_restore": "billing.delete_subscription",
    "billing_subscription_extend": "billing.extend_subscription",
    "billing_subscription_pause": "billing.extend_subscription",
    "billing_subscription_unpause": "billing.extend_subscription",
    "billing_subscription_why": "billing.view_subscription",
    "branding_brandingjob_restore": "branding.delete_brandingjob",
}

# What a list offers to do with the rows that are ticked.
BULK: dict[str, str | dict[str, str]] = {
    "delete_selected": "delete",
    "restore_selected": "delete",
    "suspend_all": "kitehub.suspend_instance",
    "resume_all": "kitehub.suspend_instance",
    "finish_selected": "kitehub.provision_instance",
    "reopen_all": "kitehub.close_instance",
    "confirm_all": "billing.approve_payment",
    "approve_all": {
        "billing.refund": "billing.approve_refund",
        "billing.goodwill": "billing.approve_goodwill",
    },
    "cancel_all": {
        "billing.paymentorder": "billing.cancel_order",
        "jobs.job": "jobs.cancel_job",
    },
    "extend_all": "billing.extend_subscription",
    "discard_all": "billing.match_transfer",
    "assign_best": "billing.match_transfer",
    "requeue_all": "jobs.retry_job",
}

# Read, and never sent anything.
ONLY_READ = {"jsi18n", "password_change_done"}
# Sent, and never opened.
ONLY_SENT = {"billing_banktransfer_inbox_assign", "billing_banktransfer_inbox_undo"}
ONLY_READ_PAGES = ("_export", "_results")
# Tested on their own, or the same for everybody.
ELSEWHERE = {"login", "logout", "autocomplete", "view_on_site", "app_list"}


def needed(name: str, method: str) -> str:
    """What an address of the admin takes, by its name; KeyError where nobody has decided."""
    if name in ADDRESSES:
        return ADDRESSES[name]
    app, model, page = name.split("_", 2)
    verbs = PAGES[f"{app}.{model}"].split()
    view = f"{app}.view_{model}"
    if page in {"changelist", "history", "export", "results"}:
        return view
    if page == "write_note":
        return f"{view} kitehub.add_note"
    if page == "change":
        if method == "GET":
            return view
    elif page not in {"add", "delete"}:
        raise KeyError(name)
    return f"{app}.{page}_{model}" if page in verbs else NOBODY


def needed_by_action(label: str, action: str) -> str:
    """What a bulk action of a model's list takes; KeyError where nobody has decided."""
    app, model = label.split(".")
    verb = BULK[action]
    if isinstance(verb, dict):
        return verb[label]
    if "." in verb:
        return verb
    return f"{app}.{verb}_{model}" if verb in PAGES[label].split() else NOBODY

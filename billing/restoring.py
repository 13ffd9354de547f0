"""Putting back archived subscriptions, whose history comes from the archive as well."""

from kitehub.db.json_lines import Staged

_TRIGGER = "ALTER TABLE subscriptions {} TRIGGER log_subscription_changes"


def load_subscriptions(staged: Staged, instance_id: str) -> None:
    """Inserts subscriptions without the line of history that a new one gets.

    History is for ever, so a line too many could not be taken back. Only the table's owner can do
    this; until the transaction ends, others wait to write to subscriptions.
    """
    staged.cursor.execute("SET LOCAL lock_timeout = '5s'")
    staged.cursor.execute(_TRIGGER.format("DISABLE"))
    staged.insert()
    staged.cursor.execute(_TRIGGER.format("ENABLE"))

"""Payment orders, bank transfers and subscriptions."""

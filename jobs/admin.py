"""Background jobs in the admin."""

"""Database engines: `postgresql` for the server that DATABASE_URL names, `embedded` without one."""

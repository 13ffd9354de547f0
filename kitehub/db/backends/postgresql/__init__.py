"""Django's PostgreSQL engine, on the versions that KiteHub supports."""

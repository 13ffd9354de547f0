"""Background jobs: procrastinate's queue in the platform's database, and the workers on it."""

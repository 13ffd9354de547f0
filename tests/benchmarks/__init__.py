"""Programs that measure against the raw limit of the same run: `python -m tests.benchmarks`.

Each module here but this is one benchmark, with a `main(arguments)` that prints. It is called with
Django set up and with a migrated database of its own as `default`, on the server of DATABASE_URL or
on the embedded one, which is dropped afterwards. What is compared takes turns within one run, so
that a slow machine is slow for both; only the ratio means anything elsewhere.
"""

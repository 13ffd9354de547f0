"""Stored bytes: usage and the events behind it."""

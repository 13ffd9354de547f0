"""Migrations that stand in for an app's in a test."""

"""The owners' pages about money."""

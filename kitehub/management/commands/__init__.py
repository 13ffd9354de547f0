"""One module for each `manage.py` command; Django finds them by name."""

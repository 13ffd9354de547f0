"""What is wrong with an archive, or in its way."""


class ArchiveError(Exception):
    """One line for people: what is wrong, and nothing was written."""

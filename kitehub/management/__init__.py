"""The command line: how commands run, and the commands themselves."""

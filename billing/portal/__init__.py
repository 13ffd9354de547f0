"""What the owners' pages offer and say; the pages themselves are in `billing.views`."""

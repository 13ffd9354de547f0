"""What staff do to schools."""

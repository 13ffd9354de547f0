"""What staff see at nine in the morning: the figures, the charts, and what waits for a person."""

"""Commands about stored bytes."""

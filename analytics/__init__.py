"""Guest sessions and events, and what owners learn from them."""

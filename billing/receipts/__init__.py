"""The paper that says money was received: what it says, its page and its PDF."""

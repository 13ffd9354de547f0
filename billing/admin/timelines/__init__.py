"""What billing knows of what happened to orders, bank lines, subscriptions and refunds."""

"""Every write to users, instances and instance configs, by noun."""

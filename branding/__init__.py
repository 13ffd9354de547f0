"""AI branding jobs."""

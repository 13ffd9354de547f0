"""Factories of every model, by app. What a test cares about, it passes."""

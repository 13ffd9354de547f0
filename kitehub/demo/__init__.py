"""Demo data: believable Vietnamese schools with half a year of life behind them.

Every row follows from a seed and from the moment that counts as now, so the same two make the same
rows. `load` writes them; the other modules, by noun, only make them.
"""

from kitehub.demo.loading import DEFAULT_SEED, DemoCounts, DemoRefused, load

__all__ = ["DEFAULT_SEED", "DemoCounts", "DemoRefused", "load"]

"""Billing's part of the JSON API, below /api/v1/."""

from billing.api.orders import router

__all__ = ["router"]

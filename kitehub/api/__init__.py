"""The JSON API for the programs of instances, below /api/v1/. docs/api.md is its manual."""

from billing.api import router as orders
from kitehub.api import entitlements
from kitehub.api.base import api

api.add_router("", entitlements.router)
api.add_router("", orders)

__all__ = ["api"]

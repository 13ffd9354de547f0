"""Users, instances and instance configs in the admin."""

from kitehub.admin import configs, instances, users

__all__ = ["configs", "instances", "users"]

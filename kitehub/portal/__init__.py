"""The owners' portal: signing in, its layout and home, and what each of its pages is built with."""

from kitehub.portal.decorators import actor_of, owner_of

__all__ = ["actor_of", "owner_of"]

"""Chance that repeats itself: seeded random streams, and the ids and codes drawn from them."""

import random
import uuid
from datetime import datetime
from functools import cache

# What makes the demo's fixed ids its own. Any UUID does, as long as it never changes.
NAMESPACE = uuid.UUID("5d1b8c54-6f0e-5b0b-9a54-0d0c6b1f2a77")
# Without 0/O and 1/I, which people confuse when they type a code into their bank's app.
LETTERS = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"


def stream(seed: int, part: str) -> random.Random:
    """A random stream of its own for each part, so that a change to one part moves no other."""
    return random.Random(f"{seed}/{part}")  # noqa: S311  (nothing here is a secret)


@cache
def fixed_id(name: str) -> uuid.UUID:
    """The same id for the same name, whatever the seed: how the demo knows its rows again."""
    return uuid.uuid5(NAMESPACE, name)


def random_id(rng: random.Random) -> uuid.UUID:
    """A version 4 UUID."""
    return uuid.UUID(int=rng.getrandbits(128), version=4)


def time_ordered_id(moment: datetime, rng: random.Random) -> uuid.UUID:
    """A version 7 UUID: sorted by `moment`, which spares the indexes of the large tables."""
    milliseconds = int(moment.timestamp() * 1000)
    bits = rng.getrandbits(74)
    return uuid.UUID(
        int=milliseconds << 80 | 7 << 76 | (bits >> 62) << 64 | 2 << 62 | bits & ((1 << 62) - 1)
    )


def code(rng: random.Random, length: int) -> str:
    """Letters and digits that people do not confuse."""
    return "".join(rng.choices(LETTERS, k=length))

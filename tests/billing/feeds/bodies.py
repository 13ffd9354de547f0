"""Bodies and headers of the services, as they publish them."""

import hashlib
import hmac
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from django.utils.datastructures import CaseInsensitiveMapping

VECTORS = Path(__file__).parents[1] / "vectors" / "webhooks.json"
AT = datetime(2025, 10, 9, 8, 53, 20, tzinfo=UTC)  # 1760000000


def published(provider: str, number: int = 0) -> dict[str, Any]:
    """The vector of a service, the first one unless told otherwise."""
    found = [each for each in json.loads(VECTORS.read_text()) if each["provider"] == provider]
    return found[number]


def body(payload: Any) -> bytes:
    return json.dumps(payload, ensure_ascii=False).encode()


def headers(**named: str) -> CaseInsensitiveMapping[str]:
    """Headers as Django has them: `secure_token="x"` is Secure-Token."""
    return CaseInsensitiveMapping({name.replace("_", "-"): text for name, text in named.items()})


def hexed(key: str, message: bytes, hash_name: str) -> str:
    return hmac.new(key.encode(), message, getattr(hashlib, hash_name)).hexdigest()

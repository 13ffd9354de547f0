"""One-time codes are those of RFC 6238, good once, for a step either way."""

import base64
from datetime import UTC, datetime

import pytest

from kitehub import totp

# RFC 6238, appendix B, for SHA-1; the last six of its eight digits.
SECRET = base64.b32encode(b"12345678901234567890").decode()
VECTORS = {
    59: "94287082",
    1111111109: "07081804",
    1111111111: "14050471",
    1234567890: "89005924",
    2000000000: "69279037",
    20000000000: "65353130",
}


@pytest.mark.parametrize("seconds", VECTORS)
def test_codes_are_the_rfcs(seconds: int) -> None:
    at = datetime.fromtimestamp(seconds, UTC)
    assert totp.code_at(SECRET, totp.step_of(at)) == VECTORS[seconds][-6:]


def test_a_code_is_good_a_step_early_or_late_and_never_twice() -> None:
    at = datetime.fromtimestamp(1111111111, UTC)
    now = totp.step_of(at)
    for step in range(now - 3, now + 4):
        found = totp.matching_step(SECRET, totp.code_at(SECRET, step), at=at, after=0)
        assert found == (step if abs(step - now) <= 1 else None)
    used = totp.matching_step(SECRET, totp.code_at(SECRET, now), at=at, after=now)
    older = totp.matching_step(SECRET, totp.code_at(SECRET, now - 1), at=at, after=now)
    assert used is older is None
    assert totp.matching_step(SECRET, "", at=at, after=0) is None


def test_secrets_are_long_enough_and_each_is_new() -> None:
    first, second = totp.new_secret(), totp.new_secret()
    assert first != second
    assert len(base64.b32decode(first)) == 20
    address = totp.address(first, login="lan@example.vn", issuer="KiteHub")
    assert address.startswith("otpauth://totp/KiteHub:lan%40example.vn?secret=")

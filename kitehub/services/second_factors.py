"""One-time codes as a second factor: set up, asked for, turned off."""

import hmac
import secrets
from datetime import datetime, timedelta
from hashlib import sha256
from uuid import UUID

from django.db import transaction

from kitehub import totp
from kitehub.enums import SecurityEventKind
from kitehub.models import SecondFactor, User
from kitehub.services import security, sign_ins

# How long a secret waits for its first code.
SET_UP_WITHIN = timedelta(minutes=10)
BACKUP_CODES = 10
_LETTERS = "23456789abcdefghjkmnpqrstuvwxyz"  # none that looks like another
_LENGTH = 10


class WrongCode(Exception):
    """The code is not the one that the app shows, or was used before."""


def prepare(*, user_id: UUID, at: datetime) -> str:
    """A secret to set up an app with, in base 32; a new one in place of one older than 10 minutes.

    Whoever saw that one, weeks ago in a browser that was left open, has nothing of it. Raises
    ValueError where codes are asked for already.
    """
    with transaction.atomic():
        user = _locked(user_id)
        factor = SecondFactor.objects.filter(user=user).first()
        if factor is not None and factor.confirmed_at is not None:
            raise ValueError("Codes are turned on already.")
        if factor is None or factor.created_at <= at - SET_UP_WITHIN:
            anew = {"secret": totp.new_secret(), "created_at": at, "last_step": 0}
            factor, _ = SecondFactor.objects.update_or_create(user=user, defaults=anew)
        return factor.secret.reveal()


def pending(*, user_id: UUID) -> str:
    """The secret that is set up just now. Raises ValueError where there is none any more."""
    factor = SecondFactor.objects.filter(user=user_id, confirmed_at=None).first()
    if factor is None:
        raise ValueError("No secret is to be confirmed.")
    return factor.secret.reveal()


def turn_on(*, user_id: UUID, code: str, at: datetime) -> list[str]:
    """Asks for codes from now on, once a first one is right; returns the backup codes.

    They are shown this once: only their digests are kept. Raises WrongCode, and TooManyAttempts.
    """
    _count(user_id, at=at)
    with transaction.atomic():
        user = _locked(user_id)
        factor = SecondFactor.objects.filter(user=user, confirmed_at=None).first()
        if factor is None:
            raise WrongCode
        step = totp.matching_step(
            factor.secret.reveal(), _digits(code), at=at, after=factor.last_step
        )
        if step is None:
            raise WrongCode
        codes = _new_codes()
        factor.confirmed_at, factor.last_step = at, step
        factor.backup_codes = [_digest(each) for each in codes]
        factor.save()
        user.asks_for_code = True
        user.save(update_fields=["asks_for_code"])
        security.record(SecurityEventKind.FACTOR_ON, user=user)
    _forgive(user_id)
    return codes


def check(*, user_id: UUID, code: str, at: datetime) -> None:
    """Takes a code of the app, or a backup code, each of which is good once.

    Raises WrongCode, and TooManyAttempts: so many for the person, wherever they come from, as only
    who has the password comes this far.
    """
    try:
        _count(user_id, at=at)
    except sign_ins.TooManyAttempts as error:
        if error.first:
            user = User.objects.get(pk=user_id)
            security.record(SecurityEventKind.THROTTLED, user=user, asked_for="code")
        raise
    with transaction.atomic():
        user = _locked(user_id)
        right = _take(user, code, at=at)
        if not right:
            security.record(SecurityEventKind.CODE_REFUSED, user=user)
    if not right:
        raise WrongCode
    _forgive(user_id)


def new_backup_codes(*, user_id: UUID, code: str, at: datetime) -> list[str]:
    """New backup codes in place of the old ones, for who enters a code.

    Raises WrongCode, and TooManyAttempts.
    """
    check(user_id=user_id, code=code, at=at)
    codes = _new_codes()
    with transaction.atomic():
        user = _locked(user_id)
        SecondFactor.objects.filter(user=user).update(
            backup_codes=[_digest(each) for each in codes]
        )
        security.record(SecurityEventKind.BACKUP_CODES_MADE, user=user)
    return codes


def turn_off(*, user_id: UUID, code: str, at: datetime) -> None:
    """Asks for no code any more, for who enters one. Raises WrongCode, and TooManyAttempts."""
    check(user_id=user_id, code=code, at=at)
    with transaction.atomic():
        user = _locked(user_id)
        _remove(user)
        security.record(SecurityEventKind.FACTOR_OFF, user=user)


def reset(*, user_id: UUID, actor: str, reason: str) -> bool:
    """Takes a lost app from a person, who then signs in by password; whether they had one."""
    with transaction.atomic():
        user = _locked(user_id)
        if not SecondFactor.objects.filter(user=user).exists():
            return False
        _remove(user)
        security.record(SecurityEventKind.FACTOR_RESET, user=user, actor=actor, reason=reason)
        return True


# --- Parts --------------------------------------------------------------------------------------


def _locked(user_id: UUID) -> User:
    return User.objects.select_for_update(no_key=True).get(pk=user_id)


def _take(user: User, code: str, *, at: datetime) -> bool:
    """Whether the code is good; it is not any more then."""
    factor = SecondFactor.objects.filter(user=user, confirmed_at__isnull=False).first()
    if factor is None:
        return False
    step = totp.matching_step(factor.secret.reveal(), _digits(code), at=at, after=factor.last_step)
    if step is not None:
        SecondFactor.objects.filter(user=user).update(last_step=step)
        return True
    digest = _digest(code)
    left = [kept for kept in factor.backup_codes if not hmac.compare_digest(kept, digest)]
    if len(left) == len(factor.backup_codes):
        return False
    SecondFactor.objects.filter(user=user).update(backup_codes=left)
    security.record(SecurityEventKind.BACKUP_CODE_USED, user=user, left=len(left))
    return True


def _remove(user: User) -> None:
    SecondFactor.objects.filter(user=user).delete()
    user.asks_for_code = False
    user.save(update_fields=["asks_for_code"])


def _new_codes() -> list[str]:
    made = ["".join(secrets.choice(_LETTERS) for _ in range(_LENGTH)) for _ in range(BACKUP_CODES)]
    return [f"{code[:5]}-{code[5:]}" for code in made]


def _digits(code: str) -> str:
    typed = "".join(code.split())
    return typed if typed.isascii() and typed.isdigit() and len(typed) == totp.DIGITS else ""


def _digest(code: str) -> str:
    """Of a backup code as people type it. It has 49 bits at random: nobody tries them all."""
    return sha256("".join(code.lower().replace("-", "").split()).encode()).hexdigest()


def _count(user_id: UUID, *, at: datetime) -> None:
    sign_ins.count_attempt(login="code", address=f"person {user_id}", at=at)


def _forgive(user_id: UUID) -> None:
    sign_ins.forgive(login="code", address=f"person {user_id}")

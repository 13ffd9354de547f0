"""A database password is a token on the disk and a Secret in Python, whichever way it goes."""

import copy
import pickle

import pytest
from cryptography.fernet import Fernet
from django.core.exceptions import ImproperlyConfigured, ValidationError
from django.db.models import F
from hypothesis import given
from hypothesis import strategies as st

from kitehub.db.secrets import (
    KeyState,
    Secret,
    SecretTooLong,
    UnreadableSecret,
    longest_that_fits,
    looks_like_token,
)
from kitehub.models import Instance
from tests.factories.kitehub import InstanceFactory
from tests.kitehub.db.sealed import NEW, OLD, opens, store, stored, token

PASSWORD = "mật-khẩu-của-kho"


@pytest.fixture(autouse=True)
def keys(settings, db):
    settings.KITEHUB_FIELD_KEYS = [OLD]


def school(**fields) -> Instance:
    return InstanceFactory(**{"database_password": PASSWORD, **fields})


def reread(row: Instance) -> Instance:
    return Instance.objects.get(pk=row.pk)


# --- Reading


def test_the_column_holds_a_token_and_the_row_reveals_the_text() -> None:
    row = school()
    assert opens(stored(row), OLD) == PASSWORD
    assert reread(row).database_password.reveal() == PASSWORD


def test_an_older_key_still_decrypts_and_a_write_takes_the_newest(settings) -> None:
    row = school()
    settings.KITEHUB_FIELD_KEYS = [NEW, OLD]
    row = reread(row)
    assert row.database_password.reveal() == PASSWORD
    assert row.database_password.state is KeyState.OLDER
    row.save()
    assert opens(stored(row), NEW) == PASSWORD


@pytest.mark.parametrize("how", ["row", "deferred", "only", "raw", "iterator"])
def test_a_wrong_key_raises_and_names_the_row(how: str, settings) -> None:
    row = school()
    settings.KITEHUB_FIELD_KEYS = [NEW]
    rows = Instance.objects.all()
    found = {
        "row": lambda: rows.get(),
        "deferred": lambda: rows.defer("database_password").get(),
        "only": lambda: rows.only("database_password").get(),
        "raw": lambda: rows.raw("SELECT * FROM instances")[0],
        "iterator": lambda: next(rows.iterator(chunk_size=1)),
    }[how]()
    with pytest.raises(UnreadableSecret) as error:
        found.database_password.reveal()
    assert f"kitehub.Instance.database_password of {row.pk}" in str(error.value)
    assert "KITEHUB_FIELD_KEYS" in str(error.value)
    assert stored(row) not in str(error.value)
    assert error.value.__context__ is None


def test_a_wrong_key_raises_from_values_and_names_the_column(settings) -> None:
    school()
    settings.KITEHUB_FIELD_KEYS = [NEW]
    for secret in (
        Instance.objects.values("database_password").get()["database_password"],
        Instance.objects.values_list("database_password", flat=True).get(),
        Instance.objects.annotate(it=F("database_password")).values_list("it", flat=True).get(),
    ):
        with pytest.raises(UnreadableSecret, match=r"kitehub\.Instance\.database_password"):
            secret.reveal()


@pytest.mark.parametrize(
    "value",
    [PASSWORD, "gAAAAA", "a" * 100, token(PASSWORD)[:-4], f"{token(PASSWORD)[:-9]}AAAAAAAA="],
    # Tokens differ in each process, and xdist compares names.
    ids=["plain", "beginning", "base64", "cut", "changed"],
)
def test_what_is_no_token_of_ours_is_never_passed_through(value: str) -> None:
    row = school()
    store(row, value)
    with pytest.raises(UnreadableSecret) as error:
        reread(row).database_password.reveal()
    assert value not in str(error.value)


def test_bytes_that_are_no_text_are_unreadable_and_not_shown() -> None:
    row = school()
    store(row, Fernet(OLD).encrypt(b"pass\xffword").decode())
    assert reread(row).database_password.state is KeyState.UNREADABLE


def test_the_empty_text_stays_empty() -> None:
    row = school(database_password="")
    assert stored(row) == ""
    secret = reread(row).database_password
    assert (secret.reveal(), bool(secret), str(secret)) == ("", False, "")


# --- Length


@pytest.mark.parametrize("text", ["x" * 127, "ậ" * 42 + "x"])
def test_the_longest_password_fits(text: str) -> None:
    assert len(text.encode()) == longest_that_fits(255) == 127
    row = school(database_password=text)
    row.full_clean()
    assert reread(row).database_password.reveal() == text


@pytest.mark.parametrize("text", ["x" * 128, "ậ" * 43])
def test_a_longer_one_is_refused_before_the_database_sees_it(text: str) -> None:
    row = school()
    row.database_password = text
    with pytest.raises(ValidationError, match="127") as invalid:
        row.full_clean()
    assert list(invalid.value.message_dict) == ["database_password"]
    for write in (row.save, lambda: Instance.objects.update(database_password=text)):
        with pytest.raises(SecretTooLong, match=r"Instance\.database_password takes at most 127"):
            write()


@given(column=st.integers(min_value=100, max_value=2000))
def test_longest_that_fits_is_the_last_length_that_does(column: int) -> None:
    longest = longest_that_fits(column)
    assert len(token("x" * longest)) <= column < len(token("x" * (longest + 1)))


# --- The value


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=40))
def test_any_text_comes_back_as_it_was(text: str) -> None:
    secret = Secret(text)
    assert secret.reveal() == text
    assert Secret(text) == secret == pickle.loads(pickle.dumps(secret))  # noqa: S301
    assert hash(Secret(text)) == hash(secret)
    assert (secret == text) is False


def test_secrets_differ_if_their_texts_do_or_cannot_be_read() -> None:
    assert Secret("a") != Secret("b")
    assert Secret("a") != Secret("")
    assert Secret.stored(token("a", NEW), "here") != Secret.stored(token("a", NEW), "here")


def test_a_secret_stays_encrypted_when_copied_or_pickled() -> None:
    row = school()
    assert PASSWORD.encode() not in pickle.dumps(row)
    for other in (pickle.loads(pickle.dumps(row)), copy.copy(row), copy.deepcopy(row)):  # noqa: S301
        assert other.database_password.reveal() == PASSWORD


@pytest.mark.parametrize("value", [b"bytes", 7, ["list"], "half a \ud800 pair"])
def test_what_is_no_text_is_refused_without_being_shown(value: object) -> None:
    with pytest.raises((TypeError, ValueError)) as error:
        Secret(value)
    assert str(value) not in str(error.value)
    assert error.value.__context__ is None


def test_no_password_looks_like_a_token() -> None:
    assert looks_like_token(token("x"))
    for text in ("", "x" * 100, "gAAAAABf", token("x")[:-1], f"{token('x')}\n"):
        assert not looks_like_token(text)


@pytest.mark.parametrize("keys", [[], [NEW, "not a key"], ["", NEW]])
def test_a_key_that_is_none_is_named_by_its_position(keys: list[str], settings) -> None:
    settings.KITEHUB_FIELD_KEYS = keys
    with pytest.raises(ImproperlyConfigured, match="KITEHUB_FIELD_KEYS") as error:
        Secret("x")
    assert not any(key and key in str(error.value) for key in keys)

"""Who acts and why reaches the triggers, for exactly as long as it is true."""

from collections.abc import Iterator

import pytest
from django.db import IntegrityError, connection, transaction
from django.db.transaction import TransactionManagementError

from kitehub.db.acting import acting
from tests.kitehub.db.records import execute

Who = tuple[str, str]


def who() -> Who:
    """What a trigger would be told now."""
    ((actor, reason),) = execute(
        "SELECT current_setting('kitehub.actor', true), current_setting('kitehub.reason', true)"
    )
    return actor or "", reason or ""


@pytest.fixture
def at_the_end(transactional_db: None) -> Iterator[None]:
    """The connection says nobody before and after a test."""
    assert who() == ("", "")
    yield
    assert who() == ("", "")


@pytest.mark.usefixtures("at_the_end")
class TestForItsTransaction:
    def test_settings_end_with_the_transaction(self) -> None:
        with transaction.atomic(), acting("An", "Bình asked"):
            assert who() == ("An", "Bình asked")
        assert who() == ("", "")

    def test_refused_outside_a_transaction(self) -> None:
        with pytest.raises(TransactionManagementError), acting("An"):
            pass

    def test_settings_end_when_the_transaction_is_rolled_back(self) -> None:
        with pytest.raises(ZeroDivisionError), transaction.atomic(), acting("An"):
            raise ZeroDivisionError

    def test_settings_end_when_the_database_raises(self) -> None:
        with pytest.raises(IntegrityError), transaction.atomic(), acting("An"):
            execute("INSERT INTO payment_orders (amount) VALUES (1)")

    def test_connection_lost_inside_hides_no_error(self) -> None:
        def lose_it() -> None:
            connection.connection.close()
            raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError), transaction.atomic(), acting("An"):
            lose_it()
        connection.close()


@pytest.mark.django_db
class TestNested:
    def test_inner_one_counts_and_the_outer_one_comes_back(self) -> None:
        with acting("An", "first"):
            with acting("Bình"):
                assert who() == ("Bình", "")
            assert who() == ("An", "first")
        assert who() == ("", "")

    def test_outer_one_comes_back_after_an_exception(self) -> None:
        with acting("An", "first"):
            with pytest.raises(ZeroDivisionError), acting("Bình", "second"):
                raise ZeroDivisionError
            assert who() == ("An", "first")

    def test_outer_one_comes_back_after_a_released_savepoint(self) -> None:
        with acting("An", "first"):
            with transaction.atomic(), acting("Bình", "second"):
                assert who() == ("Bình", "second")
            assert who() == ("An", "first")

    def test_outer_one_comes_back_after_a_savepoint_rolled_back(self) -> None:
        with acting("An", "first"):
            with pytest.raises(ZeroDivisionError), transaction.atomic(), acting("Bình", "second"):
                raise ZeroDivisionError
            assert who() == ("An", "first")

    def test_outer_one_comes_back_after_the_database_raised_in_a_savepoint(self) -> None:
        with acting("An", "first"):
            with pytest.raises(IntegrityError), transaction.atomic(), acting("Bình", "second"):
                execute("INSERT INTO payment_orders (amount) VALUES (1)")
            assert who() == ("An", "first")

    def test_outer_one_comes_back_when_a_savepoint_around_it_is_rolled_back(self) -> None:
        with acting("An", "first"):
            savepoint = transaction.savepoint()
            with acting("Bình"):
                pass
            transaction.savepoint_rollback(savepoint)
            assert who() == ("An", "first")


@pytest.mark.django_db
class TestWhatIsSaid:
    @pytest.mark.parametrize("actor", ["", " ", "a" * 101, "a\x00b"], ids=repr)
    def test_actor_that_no_column_could_keep_is_refused(self, actor: str) -> None:
        with pytest.raises(ValueError, match="actor"), acting(actor):
            pass
        assert who() == ("", "")

    @pytest.mark.parametrize("reason", ["a" * 501, "a\x00b"], ids=len)
    def test_reason_that_no_column_could_keep_is_refused(self, reason: str) -> None:
        with pytest.raises(ValueError, match="reason"), acting("An", reason):
            pass

    def test_longest_are_taken_word_for_word(self) -> None:
        actor, reason = "Ấ" * 100, "';-- %s {}" * 50
        with acting(actor, reason):
            assert who() == (actor, reason)

"""The first few silos go before the rest, which stay as they are if one of the few fails."""

import threading


class Held(Exception):
    """A canary failed, so nothing is changed in this silo."""


class Stopped(Exception):
    """The run was interrupted before this silo's next step."""


class Gate:
    """Lets the first silos that have something to do through, and others once those succeeded.

    A silo that is up to date or can't be reached says nothing about the migrations, and doesn't
    count.
    """

    def __init__(self, canaries: int) -> None:
        self._missing = canaries
        self._admitted = 0
        self._failed = self._stopped = False
        self._changed = threading.Condition()
        self._canaries = canaries

    def enter(self) -> bool:
        """Waits for its turn; returns whether it goes as a canary. Raises Held or Stopped."""
        with self._changed:
            self._refuse()
            if self._admitted < self._canaries:
                self._admitted += 1
                return True
            self._changed.wait_for(lambda: not self._missing or self._failed or self._stopped)
            self._refuse()
            return False

    def leave(self, *, canary: bool, succeeded: bool) -> None:
        """Says how it went. What isn't a canary holds nobody back."""
        if not canary:
            return
        with self._changed:
            if succeeded:
                self._missing -= 1
            else:
                self._failed = True
            self._changed.notify_all()

    def stop(self) -> None:
        """Lets nobody through from now on."""
        with self._changed:
            self._stopped = True
            self._changed.notify_all()

    def pause(self, seconds: float) -> None:
        """Passes some time; raises Stopped as soon as the run is interrupted."""
        with self._changed:
            self._changed.wait_for(lambda: self._stopped, seconds)
        self.check()

    def check(self) -> None:
        """Raises Stopped once the run was interrupted."""
        if self._stopped:
            raise Stopped

    def _refuse(self) -> None:
        self.check()
        if self._failed:
            raise Held

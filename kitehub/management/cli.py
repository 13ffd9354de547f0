"""How manage.py runs a command: one line for what an operator can mend, and an orderly end."""

import signal
import sys
import threading
from collections.abc import Sequence
from types import FrameType

from django.core.management import BaseCommand, ManagementUtility

from kitehub.db.errors import explain

ENDING = (signal.SIGTERM, signal.SIGHUP)
EXIT_FAILED = 1  # 2 is argparse's, for a command line that it can't read
EXIT_INTERRUPTED = 128 + signal.SIGINT


class CannotServe(Exception):
    """A web server can't serve; the message tells the operator why and what to do.

    Ends the process from any thread, where the reloader would wait for other code.
    """


class _Utility(ManagementUtility):
    def fetch_command(self, subcommand: str) -> BaseCommand:
        # Django goes on without settings, to end in "unknown command" or "apps not ready".
        if self.settings_exception is not None:
            raise self.settings_exception
        return super().fetch_command(subcommand)


class _ThreadFailure:
    """Ends the process when a thread meets an error that an operator can mend.

    runserver's reloader runs the server in a thread; it would print a traceback and wait.
    """

    def __init__(self, verbose: bool) -> None:
        self.happened = False
        self._verbose = verbose
        self._previous = threading.excepthook

    def __call__(self, failure: threading.ExceptHookArgs) -> None:
        error = failure.exc_value
        in_full = self._verbose and not isinstance(error, CannotServe)
        if error is None or in_full or not _report(error):
            self._previous(failure)
            return
        self.happened = True
        signal.raise_signal(signal.SIGINT)


def execute(argv: Sequence[str]) -> None:
    """Runs the command that argv names, as `execute_from_command_line` does.

    An error that an operator can mend is one line on stderr and exit code 1, unless `--traceback`
    is among the arguments; Ctrl-C is exit code 130. SIGTERM and SIGHUP end the process in order,
    so that what it started, such as the embedded server, ends with it.
    """
    verbose = "--traceback" in argv
    threading.excepthook = in_thread = _ThreadFailure(verbose)
    for number in ENDING:
        if signal.getsignal(number) is signal.SIG_DFL:  # nohup ignores SIGHUP on purpose
            signal.signal(number, _end)
    try:
        _Utility(list(argv)).execute()
    except KeyboardInterrupt:
        sys.exit(EXIT_FAILED if in_thread.happened else EXIT_INTERRUPTED)
    except Exception as error:
        if verbose or not _report(error):
            raise
        sys.exit(EXIT_FAILED)
    finally:
        # What runs at exit, such as stopping the embedded server, must not be cut short.
        for number in ENDING:
            signal.signal(number, signal.SIG_IGN)
    if in_thread.happened:
        sys.exit(EXIT_FAILED)


def _report(error: BaseException) -> bool:
    """Prints the line that explains an error; False if there is none."""
    line = str(error) if isinstance(error, CannotServe) else explain(error)
    if line is None:
        return False
    print(f"error: {line}", file=sys.stderr)
    return True


def _end(number: int, frame: FrameType | None) -> None:
    signal.signal(number, signal.SIG_IGN)  # once is enough
    sys.exit(128 + number)

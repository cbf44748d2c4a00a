"""Ctrl-C while other threads train."""

import signal
import threading
from typing import Any


class Interrupts:
    """Hears Ctrl-C inside its block without an exception, which may come at any instruction.

    Raised between two statements, or while a lock of ``concurrent.futures`` is held, it would
    leave threads that nobody tells to stop. A second Ctrl-C raises as ever. Other threads than
    the main one hear none, and a handler that the program has set itself stays.

    Attributes
    ----------
    heard : bool
        Whether it came. Who catches a KeyboardInterrupt in the block sets it too.
    """

    def __init__(self) -> None:
        self.heard = False
        self._hearing = False

    def __enter__(self) -> "Interrupts":
        is_main = threading.current_thread() is threading.main_thread()
        if is_main and signal.getsignal(signal.SIGINT) is signal.default_int_handler:
            signal.signal(signal.SIGINT, self._hear)
            self._hearing = True
        return self

    def __exit__(self, *_: Any) -> None:
        if self._hearing:
            signal.signal(signal.SIGINT, signal.default_int_handler)

    def _hear(self, number: int, frame: Any) -> None:
        if self.heard:
            signal.default_int_handler(number, frame)
        self.heard = True

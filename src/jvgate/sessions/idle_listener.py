"""Listening to a session that has no job: its dialogs and events are heard at once, and so is its end.

Theory of operation.  One thread at a time receives from the channel.  While the session is idle that is the thread in
here.  It handles the frames that belong to no job; the first one that belongs to a job is handed over, and with it the
right to receive: the thread that runs the job receives the rest by itself, without a hop between threads, and gives
the right back when the job is over.
"""

from __future__ import annotations

from collections.abc import Callable
from queue import SimpleQueue
from threading import Semaphore, Thread

from jvgate.errors import WorkerLost
from jvgate.jvlink.wire import Channel, Frame

__all__ = ["IdleListener"]


class IdleListener:
    """Receives from *channel* while no job runs.

    handle: called with each frame, in here as long as it returns True; a frame that it refuses belongs to a job.
    on_end: called when the channel has ended or is broken.
    """

    def __init__(self, channel: Channel, handle: Callable[[Frame], bool], on_end: Callable[[], None]) -> None:
        self.is_receiving = False  # only the thread that runs the jobs looks at it and sets it
        self._channel = channel
        self._handle = handle
        self._on_end = on_end
        self._rounds = Semaphore(0)
        self._handed: SimpleQueue[Frame | WorkerLost | None] = SimpleQueue()
        self._thread = Thread(target=self._run, name="jvgate-idle-listener", daemon=True)

    def resume(self) -> None:
        """Receive from now on; unless it does already."""
        if self.is_receiving:
            return
        self.is_receiving = True
        if self._thread.ident is None:
            self._thread.start()
        self._rounds.release()

    def take_over(self) -> Frame | None:
        """Wait for the first frame of a job, and receive no more; None at the end.  Raises WorkerLost."""
        handed = self._handed.get()
        if handed is None or isinstance(handed, WorkerLost):
            self._handed.put(handed)  # the end stays the end, and its thread is gone
        else:
            self.is_receiving = False
        if isinstance(handed, WorkerLost):
            raise handed
        return handed

    def join(self, timeout_s: float) -> None:
        """Wait for the end of the thread, once the channel has ended."""
        if self._thread.ident is not None:
            self._thread.join(timeout_s)

    def _run(self) -> None:
        handed: Frame | WorkerLost | None
        while True:
            self._rounds.acquire()
            try:
                handed = self._channel.receive()
                while handed is not None and self._handle(handed):
                    handed = self._channel.receive()
            except WorkerLost as exc:
                handed = exc
            self._handed.put(handed)
            if not isinstance(handed, Frame):
                self._on_end()
                return

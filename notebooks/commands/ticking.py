"""A function that is called again and again while something slow goes on."""

import threading
from contextlib import contextmanager


@contextmanager
def ticking(tick, every: float):
    """Call a function without arguments every so many seconds, in a thread, until the `with` block ends."""
    over = threading.Event()

    def count():
        while not over.wait(every):
            tick()

    thread = threading.Thread(target=count, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()

"""When the command began: a time budget counts from here."""

import time

STARTED = time.monotonic()

"""UUID version 7 (RFC 9562 §5.7): sortable by the moment it was made, also on a device without a network."""

import os
import threading
import time
import uuid

_lock = threading.Lock()
_last = 0


def uuid7() -> uuid.UUID:
    """A new identifier: 48 bits of Unix milliseconds, 12 bits of sub-millisecond order, 62 random bits.

    Within a process later calls sort after earlier ones: the clock's finer part fills `rand_a` and a step back of
    the clock is bridged by counting on (RFC 9562 §6.2, method 3).
    """
    global _last
    with _lock:
        ticks = time.time_ns() * 4096 // 1_000_000  # 1/4096 ms
        _last = ticks = max(ticks, _last + 1)
    milliseconds, fraction = divmod(ticks, 4096)
    random = int.from_bytes(os.urandom(8), "big") & (1 << 62) - 1
    value = (milliseconds & (1 << 48) - 1) << 80 | 0x7 << 76 | fraction << 64 | 0b10 << 62 | random
    return uuid.UUID(int=value)

"""Keep freed memory in the process: a training step frees and takes the same gigabytes again and again."""

from __future__ import annotations

import ctypes
import platform

# glibc's malloc.h
_TRIM_THRESHOLD, _TOP_PAD, _MMAP_MAX = -1, -2, -4


def keep_freed_memory() -> bool:
    """Make glibc's allocator keep freed memory; False if the C library is another.

    Otherwise every large tensor is mapped again, and the kernel clears its
    pages first.
    """
    if platform.libc_ver()[0] != "glibc":
        return False
    libc = ctypes.CDLL(None)
    wanted = ((_MMAP_MAX, 0), (_TRIM_THRESHOLD, 2**31 - 1), (_TOP_PAD, 256 << 20))
    return all(libc.mallopt(name, value) for name, value in wanted)

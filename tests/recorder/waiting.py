"""Waits for coroutines, also beside a browser whose event loop runs in the tests' own thread."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context


def awaited(coroutine):
    """What the coroutine returns, run in a thread with the context of the caller."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(copy_context().run, asyncio.run, coroutine).result()

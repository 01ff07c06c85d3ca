"""Reads one HTTP answer within bounds: what a server sends may take neither all of the memory nor for ever.

Import it late: httpx costs 60 ms.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["LARGEST", "LONGEST", "UnboundedAnswerError", "read_answer"]

LARGEST = 16 * 2**20
"""Bytes of a decoded body: a page of a hundred rules with 160 kB each."""
LONGEST = 60.0
"""Seconds from the request to the end of its answer."""

_ENCODED = (b"content-encoding", b"content-length", b"transfer-encoding")


class UnboundedAnswerError(Exception):
    """An answer is larger, or takes longer, than any that is waited for; asking again would not help."""


def read_answer(
    http: httpx.Client, request: httpx.Request, clock: Callable[[], float], first: int | None = None
) -> httpx.Response:
    """Send the request and return its answer with the whole body, decoded, or with its ``first`` bytes alone.

    ``clock`` is monotonic and in seconds; it is looked at whenever a part of the body comes. Raises
    ``UnboundedAnswerError``, and ``httpx.RequestError`` as httpx does.
    """
    started = clock()
    response = http.send(request, stream=True)
    try:
        body = bytearray()
        for part in response.iter_bytes():
            body += part
            if first is not None and len(body) >= first:
                del body[first:]
                break
            if len(body) > LARGEST:
                raise UnboundedAnswerError(f"its answer is larger than {LARGEST // 2**20} MiB")
            if clock() - started > LONGEST:
                raise UnboundedAnswerError(f"its answer took longer than {LONGEST:.0f} s")
    finally:
        response.close()
    headers = [(name, value) for name, value in response.headers.raw if name.lower() not in _ENCODED]
    return httpx.Response(response.status_code, headers=headers, content=bytes(body), request=request)

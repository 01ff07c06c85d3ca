"""Secrets and personal values that must not be seen: registered once, blotted out of every text that leaves.

Whoever learns of a secret (a token, a client secret) calls ``register_secret``; whoever loads contacts calls
``register_pii`` with the values of ``pii`` columns. Audit records, HTTP logs and exports pass through ``scrub``.
It is the second safeguard: the first is that nothing of the kind is handed to a log at all. Names and ids from rule
files and configuration lose secrets alone (``scrub_record``): they are no values of a contact, even where one is
spelled like a part of them, and later decisions rest on them.
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any
from urllib.parse import quote, quote_plus

__all__ = ["PII", "SECRET", "Redactor", "redact", "register_pii", "register_secret", "scrub", "scrub_record"]

SECRET = "[secret]"  # noqa: S105  (what stands in its place)
PII = "[pii]"

_WORD = re.compile(r"\w+")


class Redactor:
    """A registry of values to blot out; safe under threads, and its ``repr`` shows none of them."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._secrets: dict[str, None] = {}
        self._pattern: re.Pattern[str] | None = None
        self._personal: dict[str, dict[str, None]] = {}  # first word -> values

    def __repr__(self) -> str:
        return f"<Redactor of {len(self._secrets) + sum(map(len, self._personal.values()))} values>"

    def register_secret(self, value: str) -> None:
        """Blot out ``value`` wherever it occurs, also percent-encoded or escaped as in JSON; "" is ignored."""
        escaped = (json.dumps(value)[1:-1], json.dumps(value, ensure_ascii=False)[1:-1])
        with self._lock:
            forms = (value, quote(value, safe=""), quote_plus(value), *escaped)
            self._secrets.update(dict.fromkeys(filter(None, forms)))
            self._pattern = None

    def register_pii(self, value: str) -> None:
        """Blot out ``value`` where it stands as a word of its own.

        Single characters, and numbers of fewer than four digits, are ignored: they identify nobody and would
        blot out versions and counts. So is a value without a letter or digit.
        """
        text = value.strip()
        first = _WORD.search(text)
        if first is None or len(text) < 2 or (text.isdigit() and len(text) < 4):
            return
        with self._lock:
            self._personal.setdefault(first.group(), {})[text] = None

    def redact(self, text: str) -> str:
        """Return the text with ``[secret]`` and ``[pii]`` in the place of registered values."""
        with self._lock:
            text = self._without_secrets(text)
            return self._without_personal(text) if self._personal else text

    def _redact_secrets(self, text: str) -> str:
        with self._lock:
            return self._without_secrets(text)

    def _without_secrets(self, text: str) -> str:
        if not self._secrets:
            return text
        if self._pattern is None:
            longest_first = sorted(self._secrets, key=lambda value: (-len(value), value))
            self._pattern = re.compile("|".join(map(re.escape, longest_first)))
        return self._pattern.sub(SECRET, text)

    def _without_personal(self, text: str) -> str:
        """Look each word of the text up: contacts are many, and one pattern of all values would be slow."""
        parts: list[str] = []
        done = 0
        for word in _WORD.finditer(text):
            known = self._personal.get(word.group(), ())
            ends = [(end, begin) for value in known for begin, end in _standing(value, text, word) if begin >= done]
            if ends:
                # The longest: a value that begins with another must not leave its end behind.
                end, begin = max(ends)
                parts += [text[done:begin], PII]
                done = end
        return "".join([*parts, text[done:]])

    def scrub(self, value: object) -> object:
        """Return a copy of JSON-like data with every text, key and number redacted; other values as they are."""
        return _each_text(value, self.redact)

    def scrub_record(self, record: Mapping[str, Any], names: Collection[str]) -> dict[str, Any]:
        """Return a copy of a record: of the fields in ``names`` without secrets, of all others scrubbed."""
        shown: dict[str, Any] = {}
        for key, value in record.items():
            if key in names:
                shown[key] = _each_text(value, self._redact_secrets)
            else:
                shown[self.redact(key)] = self.scrub(value)
        return shown


def _each_text(value: object, change: Callable[[str], str]) -> object:
    if isinstance(value, str):
        return change(value)
    if isinstance(value, Mapping):
        return {change(str(key)): _each_text(item, change) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_each_text(item, change) for item in value]
    if isinstance(value, int | float) and not isinstance(value, bool):
        text = str(value)
        shown = change(text)
        return value if shown == text else shown
    return value


def _standing(value: str, text: str, word: re.Match[str]) -> Iterator[tuple[int, int]]:
    """Yield where the value stands in the text as words of their own, if ``word`` is the first of them."""
    begin = word.start() - value.index(word.group())
    end = begin + len(value)
    if begin >= 0 and text.startswith(value, begin) and not (_WORD.match(value[-1]) and _WORD.match(text, end)):
        yield begin, end


_REGISTRY = Redactor()
"""That of the process: a secret that one part knows must not leave through another."""

register_secret = _REGISTRY.register_secret
register_pii = _REGISTRY.register_pii
redact = _REGISTRY.redact
scrub = _REGISTRY.scrub
scrub_record = _REGISTRY.scrub_record

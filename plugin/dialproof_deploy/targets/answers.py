"""What a target checks of a server's answer before a plan or a write rests on it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dialproof.errors import InputError, RemoteError
from dialproof_deploy.gate.evidence import json_digest
from dialproof_deploy.targets.wire import DEEPEST, too_deep

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "MOST_PAGES",
    "check_comparable",
    "check_entries",
    "check_fields",
    "endless",
    "is_id",
    "json_object",
    "quoted",
]

MOST_PAGES = 1000
"""Pages of one list: a server that always has a further one would hold a deploy, and its lock, for ever."""

_LONGEST_SHOWN = 100


def json_object(body: Any, what: str) -> dict[str, Any]:
    """Return the body of the answer for ``what``; raises ``RemoteError`` where it is no JSON object."""
    if not isinstance(body, dict):
        raise RemoteError(f"the server's answer for {what} is not a JSON object")
    return body


def check_fields(body: Mapping[str, Any], kinds: Mapping[str, type], where: str) -> None:
    """Raise ``RemoteError`` for a field of another kind, or an ``id`` that is none; ``where`` begins the sentence."""
    for key, kind in kinds.items():
        if not isinstance(body.get(key), kind) or isinstance(body[key], bool):
            raise RemoteError(f"{where} holds no usable {key}")
    if not is_id(body["id"]):
        raise RemoteError(f"{where} holds no usable id: {quoted(body['id'])} would lead to another path")


def check_entries(rule: Mapping[str, Any], where: str) -> None:
    """Raise ``RemoteError`` for conditions or actions that are no list of objects."""
    for key in ("conditions", "actions"):
        entries = rule.get(key)
        if entries is not None and not (isinstance(entries, list) and all(isinstance(e, dict) for e in entries)):
            raise RemoteError(f"{where} holds no usable {key}: a list of objects is expected")


def check_comparable(body: Mapping[str, Any], where: str) -> None:
    """Raise ``RemoteError`` for what cannot be compared with what was sent."""
    if too_deep(body):
        raise RemoteError(f"{where} is nested deeper than {DEEPEST} lists and objects")
    try:
        json_digest(body)
    except InputError as error:
        raise RemoteError(f"{where} cannot be compared: {error}") from None


def endless(what: str) -> RemoteError:
    """Return the error for a list that has more than ``MOST_PAGES`` pages."""
    return RemoteError(f"{what} leads on after {MOST_PAGES} pages, which is taken for no end")


def is_id(text: str) -> bool:
    """Tell whether a text stays one part of a path: a client takes ".." up, and many servers take %2F for a slash."""
    try:
        text.encode()
    except UnicodeEncodeError:  # half a surrogate pair
        return False
    return text not in ("", ".", "..") and not {"/", "\\"} & {*text}


def quoted(text: str) -> str:
    """Quote a server's text, short and fit for a terminal."""
    return repr(text) if len(text) <= _LONGEST_SHOWN else f"{text[:_LONGEST_SHOWN]!r}..."

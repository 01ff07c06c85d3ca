"""Writes that are guarded by what they were planned against, as both targets make them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dialproof.errors import RemoteConflictError
from dialproof_deploy.api.errors import AnswerLostError, NotFoundError, UnreachableError
from dialproof_deploy.targets import StoredOtherwiseError, Written
from dialproof_deploy.targets.documents import title_of
from dialproof_deploy.targets.wire import difference_text, same_content, three_way

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from dialproof_deploy.api.client import ApiClient

__all__ = ["WRITE_TRIES", "create", "created_otherwise", "delete", "edited", "gone", "stored_as_sent", "too_busy"]

WRITE_TRIES = 3
"""For a create whose answer is lost, and for an update that meets others' saves without a change."""


def create(
    title: str, send: Callable[[], Written], find: Callable[[], Written | None], taken: tuple[type[Exception], ...]
) -> Written:
    """Create with ``send``; after a lost answer ``find`` looks for what was created before another try.

    ``taken`` are the errors that may say that an earlier try stands in the way of this one.
    """
    in_doubt = False
    for _ in range(WRITE_TRIES):
        try:
            return send()
        except AnswerLostError:
            in_doubt = True
        except taken as error:
            if not in_doubt and getattr(error, "attempts", 1) == 1:
                raise
            if made := find():
                return made
            raise
        if made := find():
            return made
    raise UnreachableError(f"{title}: the answer to its creation was lost {WRITE_TRIES} times")


def delete(client: ApiClient, path: str, planned_from: Mapping[str, Any], stored: Mapping[str, Any]) -> Written:
    """Delete what was just read as ``stored``, if it is still what was planned against: DELETE carries no version.

    A 404 after a lost answer is success; one at the first try is ``RemoteConflictError``.
    """
    if not same_content(stored, planned_from):
        raise RemoteConflictError(
            f"{title_of(planned_from)} was to be deleted but was changed by somebody else since the plan:\n"
            + three_way(planned_from, planned_from, stored)
        )
    try:
        answer = client.request("DELETE", path)
    except NotFoundError as error:
        if error.attempts == 1:
            raise gone(planned_from) from None
        return Written(None, None)
    return Written(None, answer.request_id)


def stored_as_sent(sent: Mapping[str, Any], stored: dict[str, Any], request_id: str | None) -> Written:
    """Return the write; raise ``StoredOtherwiseError`` where the server holds something else than was sent."""
    written = Written(stored, request_id)
    if dropped := difference_text(sent, stored):
        raise StoredOtherwiseError(
            f"{title_of(sent)}: the server stored something else than was sent: {dropped}", written
        )
    return written


# What stands in the way of a write, as errors.


def edited(planned_from: Mapping[str, Any], ours: Mapping[str, Any], theirs: Mapping[str, Any]) -> RemoteConflictError:
    """Return the error for an edit that the plan does not know, with the three versions."""
    return RemoteConflictError(
        f"{title_of(planned_from)} was changed by somebody else since the plan "
        f"(version {planned_from['version']} then, {theirs['version']} now):\n" + three_way(planned_from, ours, theirs)
    )


def created_otherwise(
    nothing: Mapping[str, Any], ours: Mapping[str, Any], theirs: Mapping[str, Any]
) -> RemoteConflictError:
    """Return the error for something that somebody else created under our name; ``nothing`` stood there before."""
    return RemoteConflictError(
        f"{title_of(ours)} was created by somebody else with other content:\n" + three_way(nothing, ours, theirs)
    )


def gone(planned_from: Mapping[str, Any]) -> RemoteConflictError:
    """Return the error for what is not there any more."""
    return RemoteConflictError(f"{title_of(planned_from)} was deleted by somebody else since the plan")


def too_busy(planned_from: Mapping[str, Any]) -> RemoteConflictError:
    """Return the error for what is saved by others whenever it is to be written."""
    return RemoteConflictError(f"{title_of(planned_from)} is being saved again and again by somebody else")

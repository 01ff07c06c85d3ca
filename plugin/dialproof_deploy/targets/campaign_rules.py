"""The campaign-rules contract over HTTP: every write is guarded by what it was planned against."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from dialproof.errors import InputError, RemoteConflictError, RemoteError, UsageError
from dialproof_deploy.api.errors import AnswerLostError, ConflictAnswerError, NotFoundError, UnreachableError
from dialproof_deploy.gate.evidence import json_digest
from dialproof_deploy.targets import StoredOtherwiseError, Written
from dialproof_deploy.targets.wire import (
    DEEPEST,
    content,
    difference_text,
    differences,
    same_content,
    three_way,
    too_deep,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from dialproof_deploy.api.client import Answer, ApiClient

__all__ = ["CampaignRulesTarget"]

_PAGE_SIZE = "100"
_MOST_PAGES = 1000  # a server that always has a further one would hold a deploy, and its lock, for ever
_LONGEST_SHOWN = 100
_WRITE_TRIES = 3  # for a create whose answer is lost, and for an update that meets others' saves without a change
_EVENTS = ("outbound.rule.created", "outbound.rule.updated")


class CampaignRulesTarget:
    """The ``Target`` for campaigns whose rules have endpoints of their own."""

    def __init__(self, client: ApiClient) -> None:
        self._client = client

    def list_rules(self, campaign_id: str) -> list[dict[str, Any]]:
        """Return every rule of the campaign in the order of the server's pages."""
        path = f"{_campaign_path(campaign_id)}/rules"
        page = self._client.request("GET", path, params={"pageSize": _PAGE_SIZE, "pageNumber": "1"}).body
        pages = self._pages(page, "entities", "nextUri")
        # A rule created meanwhile can push one that was read already onto the next page.
        return list({rule["id"]: rule for rule in (_rule(item, campaign_id) for item in pages)}.values())

    def get_rule(self, campaign_id: str, rule_id: str) -> dict[str, Any]:
        """Return one rule; ``NotFoundError`` if it is gone, or if no rule can have such an id."""
        return _rule(self._client.request("GET", _rule_path(campaign_id, rule_id)).body, campaign_id)

    def create_rule(self, campaign_id: str, rule: Mapping[str, Any]) -> Written:
        """Create the rule with version 1.

        After a lost answer the rule is looked up by its name: with equal content it is the one created, with
        other content it is a conflict, and without one the create is sent again.
        """
        body = {**content(rule), "version": 1}
        path = f"{_campaign_path(campaign_id)}/rules"
        in_doubt = False
        for _ in range(_WRITE_TRIES):
            try:
                return self._written(campaign_id, self._client.request("POST", path, body=body), body)
            except AnswerLostError:
                in_doubt = True
            except ConflictAnswerError as error:
                if not in_doubt and error.attempts == 1:
                    raise
                # An earlier try may be what stands in the way of this one.
                if made := self._find_created(campaign_id, body):
                    return made
                raise
            if made := self._find_created(campaign_id, body):
                return made
        raise UnreachableError(f"rule {body['name']!r}: the answer to its creation was lost {_WRITE_TRIES} times")

    def update_rule(self, campaign_id: str, planned_from: Mapping[str, Any], rule: Mapping[str, Any]) -> Written:
        """Write ``rule`` over ``planned_from`` with the stored version + 1.

        When the tries are used up, or after a 409, the rule is read again. If its content is what was sent, the
        write is done. If a 409 came although the content is what was planned against, somebody saved without a
        change, and the write is sent again with the next version. Anything else is somebody's edit and raises
        ``RemoteConflictError`` with a three-way report.
        """
        path = _rule_path(campaign_id, planned_from["id"])
        stored = dict(planned_from)
        for _ in range(_WRITE_TRIES):
            sent = {**content(rule), "version": stored["version"] + 1}
            try:
                return self._written(campaign_id, self._client.request("PUT", path, body=sent), sent)
            except NotFoundError:
                raise _gone(planned_from) from None
            except (ConflictAnswerError, UnreachableError) as error:
                cause: ConflictAnswerError | UnreachableError = error
            theirs = self._read_again(campaign_id, planned_from, cause)
            if same_content(theirs, sent):
                return Written(theirs, None)
            if not same_content(theirs, planned_from):
                raise RemoteConflictError(
                    f"rule {planned_from['name']!r} was changed by somebody else since the plan "
                    f"(version {planned_from['version']} then, {theirs['version']} now):\n"
                    + three_way(planned_from, rule, theirs)
                )
            if isinstance(cause, UnreachableError) or theirs["version"] == stored["version"]:
                raise cause  # the tries are used up, or the 409 is not about the version: the order is taken
            stored = theirs
        raise RemoteConflictError(f"rule {planned_from['name']!r} is being saved again and again by somebody else")

    def delete_rule(self, campaign_id: str, planned_from: Mapping[str, Any]) -> Written:
        """Delete the rule after reading that it is still what was planned against: DELETE carries no version.

        A 404 after a lost answer is success; one at the first try is ``RemoteConflictError``.
        """
        try:
            theirs = self.get_rule(campaign_id, planned_from["id"])
        except NotFoundError:
            raise _gone(planned_from) from None
        if not same_content(theirs, planned_from):
            raise RemoteConflictError(
                f"rule {planned_from['name']!r} was to be deleted but was changed by somebody else since the plan:\n"
                + three_way(planned_from, planned_from, theirs)
            )
        try:
            answer = self._client.request("DELETE", _rule_path(campaign_id, planned_from["id"]))
        except NotFoundError as error:
            if error.attempts == 1:
                raise _gone(planned_from) from None
            return Written(None, None)
        return Written(None, answer.request_id)

    def query_events(self, campaign_id: str, interval: str = "24h") -> Iterator[dict[str, Any]]:
        """Yield ``{timestamp, eventName, entityId}`` of the campaign's rules, oldest page first."""
        if "'" in campaign_id:
            raise UsageError(f"campaign id {campaign_id!r} must not contain a quote")
        query = {"eventNames": list(_EVENTS), "query": f"campaignId eq '{campaign_id}'", "interval": interval}
        page = self._client.request("POST", "/api/v2/analytics/events/query", body=query, idempotent=True).body
        for event in self._pages(page, "events", "nextPageUri"):
            yield _mapping(event, "an event")

    def _pages(self, page: Any, items: str, link: str) -> Iterator[Any]:
        """Yield the items of this page and of all that follow it."""
        seen: set[str] = set()
        while len(seen) < _MOST_PAGES:
            answer = _mapping(page, "a page")
            found = answer.get(items)
            if not isinstance(found, list):
                raise RemoteError(f"the server's answer holds no list of {items}")
            yield from found
            following = answer.get(link)
            if not following:
                return
            if not isinstance(following, str) or following in seen:
                raise RemoteError(f"the server's {link} does not lead to another page")
            seen.add(following)
            page = self._client.request("GET", following).body
        raise RemoteError(f"the server's {link} leads on after {_MOST_PAGES} pages, which is taken for no end")

    def _written(self, campaign_id: str, answer: Answer, sent: Mapping[str, Any]) -> Written:
        """Check that the server stored what was sent: a dropped condition would dial whom it must not.

        An answer that says otherwise is not trusted either: the rule is read before anybody undoes the write.
        """
        stored = _rule(answer.body, campaign_id)
        if differences(sent, stored):
            stored = self.get_rule(campaign_id, stored["id"])
        if dropped := difference_text(sent, stored):
            raise StoredOtherwiseError(
                f"rule {sent['name']!r}: the server stored something else than was sent: {dropped}",
                Written(stored, answer.request_id),
            )
        return Written(stored, answer.request_id)

    def _find_created(self, campaign_id: str, body: Mapping[str, Any]) -> Written | None:
        """Look a rule up whose creation is in doubt."""
        for rule in self.list_rules(campaign_id):
            if rule["name"] == body["name"]:
                if same_content(rule, body):
                    return Written(rule, None)
                raise RemoteConflictError(
                    f"rule {body['name']!r} was created by somebody else with other content:\n"
                    + three_way({}, body, rule)
                )
        return None

    def _read_again(self, campaign_id: str, planned_from: Mapping[str, Any], cause: Exception) -> dict[str, Any]:
        """Read the rule after a write of unknown or refused effect; without an answer the cause stands."""
        try:
            return self.get_rule(campaign_id, planned_from["id"])
        except NotFoundError:
            raise _gone(planned_from) from None
        except UnreachableError:
            raise cause from None


def _campaign_path(campaign_id: str) -> str:
    if not _is_id(campaign_id):
        raise UsageError(f"{campaign_id!r} cannot be the id of a campaign: it would lead to another path")
    return f"/api/v2/outbound/campaigns/{quote(campaign_id, safe='')}"


def _rule_path(campaign_id: str, rule_id: str) -> str:
    if not _is_id(rule_id):
        raise NotFoundError(f"campaign {campaign_id!r}: {_shown(rule_id)} cannot be the id of a rule")
    return f"{_campaign_path(campaign_id)}/rules/{quote(rule_id, safe='')}"


def _is_id(text: str) -> bool:
    """Tell whether a text stays one part of a path: a client takes ".." up, and many servers take %2F for a slash."""
    try:
        text.encode()
    except UnicodeEncodeError:  # half a surrogate pair
        return False
    return text not in ("", ".", "..") and not {"/", "\\"} & {*text}


def _gone(planned_from: Mapping[str, Any]) -> RemoteConflictError:
    return RemoteConflictError(f"rule {planned_from['name']!r} was deleted by somebody else since the plan")


def _mapping(body: Any, what: str) -> dict[str, Any]:
    if not isinstance(body, dict):
        raise RemoteError(f"the server's answer for {what} is not a JSON object")
    return body


def _rule(body: Any, campaign_id: str) -> dict[str, Any]:
    """Check that an answer is a rule: what is planned and written next rests on it."""
    rule = _mapping(body, f"a rule of campaign {campaign_id!r}")
    name = rule.get("name")
    called = f"rule {_shown(name)}" if isinstance(name, str) else "a rule without a name"
    where = f"campaign {campaign_id!r}: the server's answer for {called}"
    for key, kind in (("id", str), ("name", str), ("version", int), ("executionOrder", int)):
        if not isinstance(rule.get(key), kind) or isinstance(rule[key], bool):
            raise RemoteError(f"{where} holds no usable {key}")
    if not _is_id(rule["id"]):
        raise RemoteError(f"{where} holds no usable id: {_shown(rule['id'])} would lead to another path")
    if not isinstance(rule.get("enabled"), bool | None):
        raise RemoteError(f"{where} holds no usable enabled")
    for key in ("conditions", "actions"):
        entries = rule.get(key)
        if entries is not None and not (isinstance(entries, list) and all(isinstance(e, dict) for e in entries)):
            raise RemoteError(f"{where} holds no usable {key}: a list of objects is expected")
    if not all(isinstance(action.get("type"), str) for action in rule.get("actions") or ()):
        raise RemoteError(f"{where} holds an action without a usable type")
    if too_deep(rule):
        raise RemoteError(f"{where} is nested deeper than {DEEPEST} lists and objects")
    try:
        json_digest(rule)
    except InputError as error:
        raise RemoteError(f"{where} cannot be compared: {error}") from None
    return rule


def _shown(text: str) -> str:
    """Quote a server's text, short and fit for a terminal."""
    return repr(text) if len(text) <= _LONGEST_SHOWN else f"{text[:_LONGEST_SHOWN]!r}..."

"""The campaign-rules contract over HTTP: every write is guarded by what it was planned against."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from dialproof.errors import RemoteError, UsageError
from dialproof_deploy.api.errors import ConflictAnswerError, NotFoundError, UnreachableError
from dialproof_deploy.targets import Written, answers, guarded
from dialproof_deploy.targets.documents import title_of
from dialproof_deploy.targets.wire import content, differences, same_content

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from dialproof_deploy.api.client import Answer, ApiClient

__all__ = ["CampaignRulesTarget"]

_PAGE_SIZE = "100"
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
        return guarded.create(
            title_of(body),
            lambda: self._written(campaign_id, self._client.request("POST", path, body=body), body),
            lambda: self._find_created(campaign_id, body),
            taken=(ConflictAnswerError,),
        )

    def update_rule(self, campaign_id: str, planned_from: Mapping[str, Any], rule: Mapping[str, Any]) -> Written:
        """Write ``rule`` over ``planned_from`` with the stored version + 1.

        When the tries are used up, or after a 409, the rule is read again. If its content is what was sent, the
        write is done. If a 409 came although the content is what was planned against, somebody saved without a
        change, and the write is sent again with the next version. Anything else is somebody's edit and raises
        ``RemoteConflictError`` with a three-way report.
        """
        path = _rule_path(campaign_id, planned_from["id"])
        stored = dict(planned_from)
        for _ in range(guarded.WRITE_TRIES):
            sent = {**content(rule), "version": stored["version"] + 1}
            try:
                return self._written(campaign_id, self._client.request("PUT", path, body=sent), sent)
            except NotFoundError:
                raise guarded.gone(planned_from) from None
            except (ConflictAnswerError, UnreachableError) as error:
                cause: ConflictAnswerError | UnreachableError = error
            theirs = self._read_again(campaign_id, planned_from, cause)
            if same_content(theirs, sent):
                return Written(theirs, None)
            if not same_content(theirs, planned_from):
                raise guarded.edited(planned_from, rule, theirs)
            if isinstance(cause, UnreachableError) or theirs["version"] == stored["version"]:
                raise cause  # the tries are used up, or the 409 is not about the version: the order is taken
            stored = theirs
        raise guarded.too_busy(planned_from)

    def delete_rule(self, campaign_id: str, planned_from: Mapping[str, Any]) -> Written:
        """Delete the rule after reading that it is still what was planned against."""
        try:
            stored = self.get_rule(campaign_id, planned_from["id"])
        except NotFoundError:
            raise guarded.gone(planned_from) from None
        return guarded.delete(self._client, _rule_path(campaign_id, planned_from["id"]), planned_from, stored)

    def query_events(self, campaign_id: str, interval: str = "24h") -> Iterator[dict[str, Any]]:
        """Yield ``{timestamp, eventName, entityId}`` of the campaign's rules, oldest page first."""
        if "'" in campaign_id:
            raise UsageError(f"campaign id {campaign_id!r} must not contain a quote")
        query = {"eventNames": list(_EVENTS), "query": f"campaignId eq '{campaign_id}'", "interval": interval}
        page = self._client.request("POST", "/api/v2/analytics/events/query", body=query, idempotent=True).body
        for event in self._pages(page, "events", "nextPageUri"):
            yield answers.json_object(event, "an event")

    def _pages(self, page: Any, items: str, link: str) -> Iterator[Any]:
        """Yield the items of this page and of all that follow it."""
        seen: set[str] = set()
        while len(seen) < answers.MOST_PAGES:
            answer = answers.json_object(page, "a page")
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
        raise answers.endless(f"the server's {link}")

    def _written(self, campaign_id: str, answer: Answer, sent: Mapping[str, Any]) -> Written:
        """Check that the server stored what was sent: a dropped condition would dial whom it must not.

        An answer that says otherwise is not trusted either: the rule is read before anybody undoes the write.
        """
        stored = _rule(answer.body, campaign_id)
        if differences(sent, stored):
            stored = self.get_rule(campaign_id, stored["id"])
        return guarded.stored_as_sent(sent, stored, answer.request_id)

    def _find_created(self, campaign_id: str, body: Mapping[str, Any]) -> Written | None:
        """Look a rule up whose creation is in doubt."""
        for rule in self.list_rules(campaign_id):
            if rule["name"] == body["name"]:
                if same_content(rule, body):
                    return Written(rule, None)
                raise guarded.created_otherwise({}, body, rule)
        return None

    def _read_again(self, campaign_id: str, planned_from: Mapping[str, Any], cause: Exception) -> dict[str, Any]:
        """Read the rule after a write of unknown or refused effect; without an answer the cause stands."""
        try:
            return self.get_rule(campaign_id, planned_from["id"])
        except NotFoundError:
            raise guarded.gone(planned_from) from None
        except UnreachableError:
            raise cause from None


def _campaign_path(campaign_id: str) -> str:
    if not answers.is_id(campaign_id):
        raise UsageError(f"{campaign_id!r} cannot be the id of a campaign: it would lead to another path")
    return f"/api/v2/outbound/campaigns/{quote(campaign_id, safe='')}"


def _rule_path(campaign_id: str, rule_id: str) -> str:
    if not answers.is_id(rule_id):
        raise NotFoundError(f"campaign {campaign_id!r}: {answers.quoted(rule_id)} cannot be the id of a rule")
    return f"{_campaign_path(campaign_id)}/rules/{quote(rule_id, safe='')}"


def _rule(body: Any, campaign_id: str) -> dict[str, Any]:
    """Check that an answer is a rule: what is planned and written next rests on it."""
    rule = answers.json_object(body, f"a rule of campaign {campaign_id!r}")
    name = rule.get("name")
    called = f"rule {answers.quoted(name)}" if isinstance(name, str) else "a rule without a name"
    where = f"campaign {campaign_id!r}: the server's answer for {called}"
    answers.check_fields(rule, {"id": str, "name": str, "version": int, "executionOrder": int}, where)
    if not isinstance(rule.get("enabled"), bool | None):
        raise RemoteError(f"{where} holds no usable enabled")
    answers.check_entries(rule, where)
    if not all(isinstance(action.get("type"), str) for action in rule.get("actions") or ()):
        raise RemoteError(f"{where} holds an action without a usable type")
    answers.check_comparable(rule, where)
    return rule

"""The public API of rule sets over HTTP: a set is read whole, and written whole with the version that was read.

What is written is a document (``dialproof_deploy.targets.documents``): a rule set, or which sets a campaign has.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from dialproof.errors import RemoteConflictError, RemoteError
from dialproof_deploy.api.errors import (
    AccessDeniedError,
    BadRequestError,
    ConflictAnswerError,
    NotFoundError,
    UnreachableError,
)
from dialproof_deploy.targets import Written, answers, guarded
from dialproof_deploy.targets.documents import kind_of, rule_in_set, rules_of, title_of
from dialproof_deploy.targets.platform_audit import rule_set_events
from dialproof_deploy.targets.wire import differences, same_content

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from dialproof_deploy.api.client import Answer, ApiClient

__all__ = ["CAMPAIGNS", "LISTS", "SETS", "RuleSetsTarget"]

SETS = "/api/v2/outbound/rulesets"
CAMPAIGNS = "/api/v2/outbound/campaigns"
LISTS = "/api/v2/outbound/contactlists"
_PAGE_SIZE = "100"
_LIST_TRIES = 3
_POLLS = (0.0, 0.5, 1.0, 2.0, 4.0)  # seconds before each look for the version that was written
_SET_BY_SERVER = ("selfUri", "dateCreated", "dateModified")


class RuleSetsTarget:
    """The ``Target`` for rule sets: what holds rules is a set, known by its name.

    ``sleep`` waits between looks for what was written or asked for.
    """

    def __init__(self, client: ApiClient, *, sleep: Callable[[float], object] = time.sleep) -> None:
        self._client = client
        self._sleep = sleep
        self._campaigns: Mapping[str, Sequence[str]] = {}
        self._ids: dict[str, str] = {}  # name of a rule set -> its id
        self._events: dict[str, list[dict[str, Any]]] = {}  # interval -> what the audit says of it
        self._bodies: dict[str, dict[str, Any]] = {}  # id of a campaign -> its body as it was last read
        self._lists: dict[str, dict[str, Any]] = {}  # id of a contact list -> what is known of it

    @property
    def client(self) -> ApiClient:
        """What speaks to the platform."""
        return self._client

    def use_sets_in(self, campaigns: Mapping[str, Sequence[str]]) -> None:
        """Take note of which campaigns (ids) are to use which rule set (name): they are read together with it."""
        self._campaigns = campaigns

    def list_rules(self, campaign_id: str) -> list[dict[str, Any]]:
        """Return the rule set of this name, if there is one, every campaign that uses it, and those that are to.

        After them come the other rule sets of the campaigns that are to use it.
        """
        (found,) = self.list_each([campaign_id])
        return found

    def list_each(self, names: Sequence[str]) -> list[list[dict[str, Any]]]:
        """Return what ``list_rules`` does of each name; the campaigns are read once for all of them."""
        found = [self._find(name) for name in names]
        campaigns = self.pages(CAMPAIGNS, "campaign", versioned=True) if names else []
        return [self._with_users(name, one, campaigns) for name, one in zip(names, found, strict=True)]

    def _with_users(
        self, campaign_id: str, found: dict[str, Any] | None, listed: Sequence[dict[str, Any]]
    ) -> list[dict[str, Any]]:
        wanted = self._campaigns.get(campaign_id, ())
        bodies = {body["id"]: body for body in listed}
        bodies |= {key: body for key in wanted if key not in bodies and (body := self._campaign(key)) is not None}
        campaigns = [self._seen(bodies[key], campaign_id) for key in sorted(bodies)]
        for campaign in campaigns:
            if campaign["ours"]:
                campaign["contactList"] = self._contact_list(bodies[campaign["id"]].get("contactList"))
        used = [c for c in campaigns if c["ours"] or c["ruleSet"] is not None]
        others = dict.fromkeys(other["id"] for c in used if c["ours"] for other in c["otherRuleSets"])
        beside = [other for key in others if (other := self._other(key)) is not None]
        names = {other["id"]: other["name"] for other in beside}
        for reference in (r for c in used for r in c["otherRuleSets"] if not r.get("name") and r["id"] in names):
            reference["name"] = names[reference["id"]]  # a reference may be an id alone
        return [*([found] if found else []), *used, *beside]

    def get_rule(self, campaign_id: str, rule_id: str) -> dict[str, Any]:  # noqa: ARG002  (ids tell sets apart)
        """Return the rule set with this id; ``NotFoundError`` if it is gone."""
        return _rule_set(self._client.request("GET", _path(SETS, rule_id)).body)

    def create_rule(self, campaign_id: str, rule: Mapping[str, Any]) -> Written:  # noqa: ARG002  (the set has its name)
        """Create the rule set; one whose answer is lost is looked up by name before another try."""
        body = {**rule, "rules": [_without_id(item) for item in rules_of(rule)]}
        return guarded.create(
            title_of(body),
            lambda: self._written(self._client.request("POST", SETS, body=body), body),
            lambda: self._created(body),
            taken=(BadRequestError, ConflictAnswerError),  # duplicate.name is a 400
        )

    def update_rule(self, campaign_id: str, planned_from: Mapping[str, Any], rule: Mapping[str, Any]) -> Written:
        """Write the content of ``rule`` over ``planned_from``, with the version that was read.

        When the tries are used up, or after a 409, the document is read again. If its content is what was sent, the
        write is done. If a 409 came although the content is what was planned against, the write is sent again with
        the version that stands there. Anything else raises ``RemoteConflictError`` with a three-way report.
        """
        stored = self._fresh(campaign_id, planned_from) if kind_of(planned_from) == "campaign" else planned_from
        for _ in range(guarded.WRITE_TRIES):
            if not same_content(stored, planned_from):
                raise guarded.edited(planned_from, rule, stored)
            try:
                if kind_of(planned_from) == "campaign":
                    return self._give_sets(campaign_id, stored, rule)
                body = _body(stored, rule)
                return self._written(self._client.request("PUT", _path(SETS, stored["id"]), body=body), body)
            except NotFoundError:
                raise guarded.gone(planned_from) from None
            except (ConflictAnswerError, UnreachableError) as error:
                cause: ConflictAnswerError | UnreachableError = error
            theirs = self._read_again(campaign_id, stored, cause)
            if same_content(theirs, rule):
                return Written(dict(theirs), None)
            unmoved = isinstance(cause, UnreachableError) or theirs["version"] == stored["version"]
            if unmoved and same_content(theirs, planned_from):
                raise cause  # the tries are used up, or the 409 is about something else
            stored = theirs
        raise guarded.too_busy(planned_from)

    def delete_rule(self, campaign_id: str, planned_from: Mapping[str, Any]) -> Written:
        """Delete the rule set after reading that it is still what was planned against."""
        stored = self._fresh(campaign_id, planned_from)
        return guarded.delete(self._client, _path(SETS, planned_from["id"]), planned_from, stored)

    def query_events(self, campaign_id: str, interval: str = "24h") -> Iterator[dict[str, Any]]:
        """Yield the changes of the rule sets of this name, with who made them, as the platform's audit tells them.

        The audit is asked once for all sets.
        """
        if interval not in self._events:
            self._events[interval] = list(rule_set_events(self._client, interval, sleep=self._sleep))
        yield from (event for event in self._events[interval] if event["entityName"] == campaign_id)

    def diagnostics(self, campaign_id: str) -> list[str]:
        """Return what the platform warns of in the rule sets of a campaign: ``rule set 'NAME': WARNING``."""
        body = answers.json_object(
            self._client.request("GET", f"{_path(CAMPAIGNS, campaign_id)}/diagnostics").body, "diagnostics"
        )
        found = []
        for entry in _mappings(body.get("ruleSetDiagnostics")):
            reference = entry.get("ruleSet")
            name = reference.get("name") or reference.get("id") if isinstance(reference, dict) else None
            found += [
                f"rule set {answers.quoted(str(name))}: {warning}" for warning in entry.get("warnings") or () if warning
            ]
        return found

    # Rule sets

    def _find(self, name: str) -> dict[str, Any] | None:
        """Return the rule set of this name; a listing may hold it shortened, so it is read by its id."""
        listed = self.pages(SETS, "rule set", name=name, filterType="Equals")
        named = [found["id"] for found in listed if found["name"] == name]
        if len(named) > 1:
            raise RemoteError(f"the target holds {len(named)} rule sets named {name!r}: rename all but one there")
        found = self.get_rule(name, named[0]) if named else None
        self._ids.pop(name, None)
        if found:
            self._ids[name] = found["id"]
        return found

    def _written(self, answer: Answer, sent: Mapping[str, Any]) -> Written:
        """Wait until the server shows what it stored to readers as well, and check that it is what was sent."""
        answered = _rule_set(answer.body)
        self._ids[answered["name"]] = answered["id"]
        shown = self._until_shown(answered, lambda: self.get_rule(answered["name"], answered["id"]))
        # An answer that says otherwise is not trusted either: what is read decides.
        stored = shown if differences(sent, answered) else answered
        return guarded.stored_as_sent(sent, stored, answer.request_id)

    def _until_shown(self, written: dict[str, Any], read: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        """Read until the version is the written one, or a later one; give up after a few seconds."""
        found = written
        for wait in _POLLS:
            self._sleep(wait)
            try:
                found = read()
            except NotFoundError:
                continue
            except (RemoteError, RemoteConflictError):
                break  # the write was answered: that it cannot be read now is no reason to doubt it
            if found["version"] >= written["version"]:
                break
        return found

    def _created(self, body: Mapping[str, Any]) -> Written | None:
        """Look a rule set up whose creation is in doubt."""
        found = self._find(body["name"])
        if found is None or same_content(found, body):
            return Written(found, None) if found else None
        raise guarded.created_otherwise({"name": body["name"], "rules": []}, body, found)

    def _fresh(self, name: str, document: Mapping[str, Any]) -> dict[str, Any]:
        """Read a document as it is now."""
        if kind_of(document) == "rule set":
            try:
                return self.get_rule(name, document["id"])
            except NotFoundError:
                raise guarded.gone(document) from None
        body = self._campaign(document["id"])
        if body is None:
            raise guarded.gone(document)
        return self._seen(body, name)

    def _read_again(self, name: str, stored: Mapping[str, Any], cause: Exception) -> dict[str, Any]:
        """Read a document after a write of unknown or refused effect; without an answer the cause stands.

        A server may show the earlier version for a moment.
        """
        found: dict[str, Any] = {}
        for wait in _POLLS:
            self._sleep(wait)
            try:
                found = self._fresh(name, stored)
            except UnreachableError:
                raise cause from None
            if found["version"] != stored["version"]:
                break
        return found

    def _other(self, key: str) -> dict[str, Any] | None:
        try:
            return self.get_rule("", key)
        except NotFoundError:
            return None

    # Campaigns

    def _campaign(self, key: str) -> dict[str, Any] | None:
        try:
            return _entity(self._client.request("GET", _path(CAMPAIGNS, key)).body, "campaign", versioned=True)
        except NotFoundError:
            return None

    def _contact_list(self, reference: object) -> dict[str, Any] | None:
        """Return what is known of the contact list of a campaign that has one."""
        key = reference.get("id") if isinstance(reference, dict) else None
        if not isinstance(key, str):
            return None
        if key not in self._lists:
            try:
                body = answers.json_object(self._client.request("GET", _path(LISTS, key)).body, "contact list")
            except (AccessDeniedError, NotFoundError) as error:
                body, why = {}, str(error)
            else:
                why = f"the answer for contact list {key} has no columnNames"
            columns = body.get("columnNames")
            named = columns if isinstance(columns, list) and all(isinstance(name, str) for name in columns) else None
            self._lists[key] = {"name": str(body.get("name") or key), "columns": named, "why": why}
        return self._lists[key]

    def _seen(self, body: Mapping[str, Any], name: str) -> dict[str, Any]:
        """Return which rule sets a campaign has, as a document."""
        references, ours = _set_refs(body), self._ids.get(name)
        self._bodies[body["id"]] = dict(body)
        return {
            "id": body["id"],
            "version": body["version"],
            "name": body["name"],
            "campaignStatus": body.get("campaignStatus"),
            "ours": body["id"] in self._campaigns.get(name, ()),
            "ruleSet": name if any(reference["id"] == ours for reference in references) else None,
            "otherRuleSets": [reference for reference in references if reference["id"] != ours],
        }

    def _give_sets(self, name: str, stored: Mapping[str, Any], wanted: Mapping[str, Any]) -> Written:
        """Write the whole campaign, as it was just read, with other rule sets; its status stays what was read."""
        references = [{"id": other["id"]} for other in wanted["otherRuleSets"]]
        if wanted["ruleSet"] is not None:
            references.append({"id": self._ids[name]})
        body = {key: value for key, value in self._bodies[stored["id"]].items() if key not in _SET_BY_SERVER}
        body["ruleSets"] = references
        answer = self._client.request("PUT", _path(CAMPAIGNS, stored["id"]), body=body)
        answered = self._seen(_entity(answer.body, "campaign", versioned=True), name)
        shown = self._until_shown(answered, lambda: self._fresh(name, answered))
        now = shown if differences(wanted, answered) else answered
        return guarded.stored_as_sent(wanted, now, answer.request_id)

    def pages(self, path: str, what: str, *, versioned: bool = False, **query: str) -> list[dict[str, Any]]:
        """Return the items of all pages.

        Something that is created or deleted meanwhile moves others between pages: each counts once, and where fewer
        were seen than there are, all pages are read again.
        """
        for _ in range(_LIST_TRIES):
            found: dict[str, dict[str, Any]] = {}
            total = 0
            for page in self._each_page(path, query):
                items = (_entity(item, what, versioned=versioned) for item in page["entities"])
                found |= {item["id"]: item for item in items}
                total = max(total, page["total"]) if isinstance(page.get("total"), int) else total
            if len(found) >= total:
                return list(found.values())
        raise RemoteError(f"the list of {path} changes whenever it is read: {len(found)} were seen of {total}")

    def _each_page(self, path: str, query: Mapping[str, str]) -> Iterator[dict[str, Any]]:
        for number in range(1, answers.MOST_PAGES + 1):
            params = {"pageSize": _PAGE_SIZE, "pageNumber": str(number), **query}
            page = answers.json_object(self._client.request("GET", path, params=params).body, "a page")
            if not isinstance(page.get("entities"), list):
                raise RemoteError("the server's answer holds no list of entities")
            yield page
            pages = page.get("pageCount")
            if not isinstance(pages, int) or isinstance(pages, bool) or number >= pages:
                return
        raise answers.endless(f"the list of {path}")


def _path(base: str, key: str) -> str:
    if not answers.is_id(key):
        raise NotFoundError(f"{answers.quoted(key)} cannot be an id: it would lead to another path")
    return f"{base}/{quote(key, safe='')}"


def _body(stored: Mapping[str, Any], wanted: Mapping[str, Any]) -> dict[str, Any]:
    """Return the body that writes ``wanted`` over ``stored``.

    A rule that stays as it is goes back as it was read, so that fields which nobody here knows are not lost. The others
    keep the id of the stored rule that they are: the one with their id, else with their name.
    """
    theirs = rules_of(stored)
    by_id = {rule["id"]: rule for rule in theirs if isinstance(rule.get("id"), str)}
    claimed = by_id.keys() & {rule.get("id") for rule in rules_of(wanted)}
    by_name = {rule["name"]: rule for rule in theirs if rule.get("id") not in claimed}
    rules = []
    for place, rule in enumerate(rules_of(wanted)):
        old = by_id.get(rule.get("id")) or by_name.get(rule["name"])
        if old is not None and not differences(rule_in_set(rule, place), rule_in_set(old, place)):
            rules.append({**old, "order": place})
        else:
            rules.append({**_without_id(rule), "order": place, **({"id": old["id"]} if old and "id" in old else {})})
    kept = {key: value for key, value in stored.items() if key not in _SET_BY_SERVER}
    return {**kept, "name": wanted["name"], "rules": rules}


def _without_id(rule: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in rule.items() if key != "id"}


def _mappings(items: Any) -> list[dict[str, Any]]:
    return [item for item in items if isinstance(item, dict)] if isinstance(items, list) else []


def _entity(body: Any, what: str, *, versioned: bool = False) -> dict[str, Any]:
    """Check that an answer has an id and a name, and a version: what is planned and written next rests on them."""
    entity = answers.json_object(body, f"a {what}")
    name = entity.get("name")
    where = (
        f"the server's answer for {what} {answers.quoted(name)}"
        if isinstance(name, str)
        else f"a {what} without a name"
    )
    answers.check_fields(entity, {"name": str, "id": str, **({"version": int} if versioned else {})}, where)
    return entity


def _rule_set(body: Any) -> dict[str, Any]:
    """Check that an answer is a rule set whose rules can be planned with."""
    found = {"rules": [], **{k: v for k, v in _entity(body, "rule set", versioned=True).items() if v is not None}}
    where = f"rule set {answers.quoted(found['name'])}: the server's answer"
    rules = found["rules"]
    if not isinstance(rules, list) or not all(isinstance(rule, dict) for rule in rules):
        raise RemoteError(f"{where} holds no list of rules")
    for rule in rules:
        name = rule.get("name")
        if not isinstance(name, str) or not isinstance(rule.get("id"), str | None):
            raise RemoteError(f"{where} holds a rule without a usable name or id")
        answers.check_entries(rule, f"{where}: rule {answers.quoted(name)}")
        if not isinstance(rule.get("order"), int | None) or isinstance(rule.get("order"), bool):
            raise RemoteError(f"{where}: rule {answers.quoted(name)} holds no usable order")
    answers.check_comparable(found, where)
    return found


def _set_refs(campaign: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the rule sets that a campaign has, as ``{id, name}``."""
    return [{"id": str(r.get("id")), "name": r.get("name")} for r in _mappings(campaign.get("ruleSets"))]

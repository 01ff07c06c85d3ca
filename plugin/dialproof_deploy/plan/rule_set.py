"""What a deploy would change of a rule set that is written whole: one write, and one for each campaign to give it to.

There is no state in between, and so nothing to put in order. A rule that is in no file and stays keeps its place
behind the rule that it follows.
"""

from __future__ import annotations

import json
import re
from bisect import bisect_left
from collections import Counter
from typing import TYPE_CHECKING, Any

from dialproof.targets.rulesets import LONGEST_BODY
from dialproof_deploy.plan.matching import Pair, match_rules
from dialproof_deploy.plan.missing_columns import missing_columns
from dialproof_deploy.plan.plan import Plan, Step
from dialproof_deploy.targets.documents import content, kind_of, rule_in_set, rules_of
from dialproof_deploy.targets.wire import differences, same_content

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

__all__ = ["CAMPAIGN", "RULE_SET", "plan_rule_set", "prunable", "rules_after", "rules_beside"]

CAMPAIGN, RULE_SET = "campaign:", "ruleSet:"
"""What stands before the name or id of a campaign, or of another rule set, in ``keep`` and ``--prune``."""

_PART_OF_A_RULE = re.compile(r" \(\d+/\d+\)")


def plan_rule_set(
    name: str,
    desired: Sequence[Mapping[str, Any]],
    remote: Sequence[Mapping[str, Any]],
    *,
    campaigns: Collection[str],
    keep: Collection[str] = (),
    prune: Collection[str] = (),
    owned: Collection[str] = (),
    renamed: Mapping[str, str] | None = None,
) -> Plan:
    """Plan the writes for the rule set of this name.

    ``desired`` are the rules as they travel, in order; ``remote`` the documents that the target gave: the set if there
    is one, campaigns, and other sets of them. ``campaigns`` are the ids of those that are to use the set. Rules are
    matched, kept and pruned as ``make_plan`` does it. Refusals are also a campaign that is not on the target, one of
    nobody here that uses the set, and another set of a campaign of ours, unless ``keep`` has it (``campaign:NAME``,
    ``ruleSet:NAME``); ``prune`` takes another set (``ruleSet:NAME``) from the campaigns of ours.
    """
    stored = _rule_set(name, remote)
    theirs = [_with_id(rule, place) for place, rule in enumerate(rules_of(stored or {}))]
    pairs, kept, refusals = match_rules(desired, theirs, keep, prune, owned, _wire_names(renamed or {}, desired))
    names = Counter(rule["name"] for rule in desired)
    refusals += [f"the files hold two rules named {rule!r}: rename one" for rule, count in names.items() if count > 1]
    rules = _numbered(_placed(pairs, kept, theirs))
    after = {**(content(stored) if stored else {"name": name}), "rules": rules}
    parts = tuple(_parts(pairs, rules, theirs))
    steps = []
    if stored is None or not same_content(stored, after):
        before = content(stored) if stored else None
        steps.append(
            Step("update" if stored else "create", name, stored["id"] if stored else None, before, after, parts)
        )
    attached, found = _attached(name, remote, campaigns, keep, prune)
    size = len(json.dumps(after, ensure_ascii=False).encode())
    if size > LONGEST_BODY:
        found.append(
            f"the rules of the set are {size:,} bytes with those that are kept, and a set takes {LONGEST_BODY:,}: "
            "write fewer or shorter ones, or delete kept ones (--prune)"
        )
    ours = [document for document in remote if kind_of(document) == "campaign" and document["id"] in campaigns]
    never_act, notes = missing_columns(desired, ours)
    changed = {part.rule for part in parts}
    return Plan(
        campaign=name,
        steps=(*steps, *attached),
        unchanged=tuple(p.name for p in pairs if p.desired and p.remote and p.name not in changed),
        kept=tuple(rule["name"] for rule in kept if rule["name"] in keep),
        refusals=(*refusals, *found, *never_act),
        notes=(*_notes(name, remote, campaigns, keep), *notes),
        remote=tuple(dict(document) for document in remote),
        holder="rule set",
    )


def prunable(name: str, remote: Sequence[Mapping[str, Any]]) -> set[str]:
    """Return what ``prune`` can name of the documents that the target gave for a rule set."""
    rules = {rule["name"] for rule in rules_of(_rule_set(name, remote) or {})}
    others = [other for document in remote for other in document.get("otherRuleSets", ())]
    return rules | {f"{RULE_SET}{other[key]}" for other in others for key in ("name", "id") if other.get(key)}


def rules_after(plan: Plan) -> list[dict[str, Any]]:
    """Return the rules of the set as the plan leaves them, in order: those of the files and those that are kept."""
    written = [step.after for step in plan.steps if step.kind == "rule set" and step.after]
    document = written[-1] if written else _rule_set(plan.campaign, plan.remote)
    return _numbered(rules_of(document or {}))


def rules_beside(plan: Plan, keep: Collection[str]) -> list[list[dict[str, Any]]]:
    """Return what may run with the rules of the set: both orders of them and of each other set that is kept.

    Rules of another set are named ``SET: RULE``.
    """
    ours = rules_after(plan)
    found = []
    for other in plan.remote:
        if kind_of(other) == "rule set" and other["name"] != plan.campaign and _named(other, RULE_SET, keep):
            theirs = [{**rule, "name": f"{other['name']}: {rule['name']}"} for rule in rules_of(other)]
            found += [_numbered([*theirs, *ours]), _numbered([*ours, *theirs])]
    return found


def _numbered(rules: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    return [{**rule, "order": place} for place, rule in enumerate(rules)]


def _rule_set(name: str, remote: Sequence[Mapping[str, Any]]) -> Mapping[str, Any] | None:
    sets = (document for document in remote if kind_of(document) == "rule set")
    return next((document for document in sets if document["name"] == name), None)


def _with_id(rule: Mapping[str, Any], place: int) -> dict[str, Any]:
    """Return a stored rule with an id, so that rules are told apart where the server gives none."""
    return {**rule, "id": rule.get("id") or f"#{place}"}


def _wire_names(renamed: Mapping[str, str], desired: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """Return the renamings as rules travel: one of the files may be several (``NAME (1/3)``)."""
    found = {}
    for rule in desired:
        part = _PART_OF_A_RULE.search(rule["name"])
        whole, number = (rule["name"][: part.start()], part.group()) if part else (rule["name"], "")
        for new, suffix in ((rule["name"], ""), (whole, number)):
            if new in renamed:
                found[rule["name"]] = renamed[new] + suffix
                break
    return found


def _placed(
    pairs: Sequence[Pair], kept: Sequence[Mapping[str, Any]], theirs: Sequence[Mapping[str, Any]]
) -> list[dict[str, Any]]:
    """Return the rules of the files in their order, each with its stored id, and the kept ones among them."""
    ours = [pair for pair in pairs if pair.desired is not None]
    staying = {pair.key for pair in ours if pair.remote} | {rule["id"] for rule in kept}
    following: dict[str | None, list[Mapping[str, Any]]] = {}  # id of a rule that stays -> kept rules right behind it
    before: str | None = None
    kept_ids = {rule["id"] for rule in kept}
    for rule in theirs:
        if rule["id"] in kept_ids:
            following.setdefault(before, []).append(rule)
        elif rule["id"] in staying:
            before = rule["id"]
    placed = [dict(rule) for rule in following.get(None, ())]
    for pair in ours:
        placed.append({**(pair.desired or {}), **({"id": pair.remote["id"]} if pair.remote else {})})
        if pair.remote:
            placed += [dict(rule) for rule in following.get(pair.remote["id"], ())]
    return placed


def _parts(
    pairs: Sequence[Pair], rules: Sequence[Mapping[str, Any]], theirs: Sequence[Mapping[str, Any]]
) -> Iterator[Step]:
    """Yield what becomes of single rules; one that only makes room for others is left out."""
    was = {rule["id"]: place for place, rule in enumerate(theirs)}
    will = {rule.get("id") or f"+{rule['name']}": place for place, rule in enumerate(rules)}
    stay = sorted((key for key in will if key in was), key=will.__getitem__)
    unmoved = {stay[i] for i in _longest_rise([was[key] for key in stay])}
    for pair in pairs:
        before = rule_in_set(pair.remote, was[pair.key]) if pair.remote else None
        after = rule_in_set(pair.desired, will[pair.key]) if pair.desired else None
        rule_id = str(pair.remote["id"]) if pair.remote else None
        if before and after:
            if pair.key in unmoved:
                before["order"] = after["order"]
            if differences(before, after):
                yield Step("update", pair.name, rule_id, before, after)
        else:
            yield Step("create" if after else "delete", pair.name, rule_id, before, after)


def _longest_rise(values: Sequence[int]) -> set[int]:
    """Return the indices of a longest rising subsequence: what need not be moved."""
    ends: list[int] = []  # index of the smallest end of a rise of each length
    tails: list[int] = []
    before: list[int | None] = []
    for index, value in enumerate(values):
        length = bisect_left(tails, value)
        before.append(ends[length - 1] if length else None)
        if length == len(tails):
            tails.append(value)
            ends.append(index)
        else:
            tails[length], ends[length] = value, index
    found: set[int] = set()
    at = ends[-1] if ends else None
    while at is not None:
        found.add(at)
        at = before[at]
    return found


def _attached(
    name: str,
    remote: Sequence[Mapping[str, Any]],
    campaigns: Collection[str],
    keep: Collection[str],
    prune: Collection[str],
) -> tuple[list[Step], list[str]]:
    """Return a write for each campaign that must be given the set, and what stands against it."""
    there = {document["id"]: document for document in remote if kind_of(document) == "campaign"}
    refusals = [f"the target has no campaign {key!r}: correct ids.campaigns" for key in campaigns if key not in there]
    steps = []
    for key, document in there.items():
        if key not in campaigns:
            if not _named(document, CAMPAIGN, keep):
                refusals.append(
                    f"campaign {document['name']!r}, which is not of these files, uses the rule set {name!r}: write "
                    f"'{CAMPAIGN}{document['name']}' to keep if its contacts are to meet these rules too, or take the "
                    "set from it there"
                )
            continue
        left = []
        for other in document["otherRuleSets"]:
            if _named(other, RULE_SET, prune):
                continue
            left.append(other)
            if not _named(other, RULE_SET, keep):
                called = other.get("name") or other["id"]
                refusals.append(
                    f"campaign {document['name']!r} has another rule set, {called!r}, and in which order two sets run "
                    f"is not documented: name '{RULE_SET}{called}' in --prune to take it from the campaign, or in keep "
                    "to leave it"
                )
        before = {k: document[k] for k in ("name", "ruleSet", "otherRuleSets")}
        after = {**before, "ruleSet": name, "otherRuleSets": left}
        if not same_content(before, after):
            steps.append(Step("attach", document["name"], key, before, after))
    return steps, refusals


def _named(thing: Mapping[str, Any], prefix: str, names: Collection[str]) -> bool:
    return any(f"{prefix}{thing.get(key)}" in names for key in ("name", "id"))


def _notes(
    name: str, remote: Sequence[Mapping[str, Any]], campaigns: Collection[str], keep: Collection[str]
) -> Iterator[str]:
    """Yield what ``keep`` lets pass and should be known."""
    for document in remote:
        if kind_of(document) != "campaign":
            continue
        others = [other for other in document["otherRuleSets"] if _named(other, RULE_SET, keep)]
        if document["id"] not in campaigns:
            if not _named(document, CAMPAIGN, keep):
                continue
            yield f"campaign {document['name']!r}, which is not of these files, uses the rule set {name!r} too (keep)"
        elif others:
            named = ", ".join(repr(other.get("name") or other["id"]) for other in others)
            yield f"campaign {document['name']!r} has other rule sets beside {name!r}: {named}"

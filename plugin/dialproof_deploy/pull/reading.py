"""Rules of a target as rules that a file can hold, and why those are none that it cannot.

A rule counts as read only if nothing of it is lost: it is lowered again, and every field that the target gave must be
there. That a field has another form then (a time that is written shorter, say) is no loss; a plan shows it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from dialproof.inference import inferred_contact_list
from dialproof.model.contactlist import ContactList
from dialproof.project import Campaign
from dialproof.targets.base import TIME_ZONE
from dialproof_deploy.pull.rules_file import Unread, why_not
from dialproof_deploy.targets.documents import content, rule_in_set

if TYPE_CHECKING:
    from dialproof.config import Environment
    from dialproof.model.rules import Rule
    from dialproof.targets.base import TargetType
    from dialproof_deploy.pull.holders import Holder
    from dialproof_deploy.pull.rules_file import LogicalId

__all__ = ["read_rules"]

_NO_ACTION = "a rule of ours needs at least one action"


def read_rules(
    holder: Holder, kind: TargetType, environment: Environment, columns: ContactList | None, logical: LogicalId
) -> tuple[list[Rule], list[Unread]]:
    """Return the rules as ours, in their order, and those that are none."""
    rules: list[Rule] = []
    unread: list[Unread] = []
    for place, wire in enumerate(holder.rules):
        try:
            rule = _read(wire, kind, environment, columns)
        except ValueError as error:
            unread.append(Unread(wire, str(error)))
            continue
        if holder.rule_set:  # of the order of a set only the sequence counts
            rule = replace(rule, execution_order=place + 1)
        if why := why_not(rule, logical):
            unread.append(Unread(wire, why))
        else:
            rules.append(rule)
    return rules, unread


def _read(wire: Mapping[str, Any], kind: TargetType, environment: Environment, columns: ContactList | None) -> Rule:
    """Return one rule; raises ``ValueError`` with why it is none of ours."""
    rule = kind.read(wire, columns or ContactList("", {}, declared=False))
    if not rule.actions:
        raise ValueError(_NO_ACTION)
    zones = {str(c["timeZoneId"]) for c in wire.get("conditions") or () if c.get("timeZoneId")}
    if other := sorted(zones - {environment.time_zone}):
        raise ValueError(
            f"its times are those of {', '.join(other)}: write time_zone = {other[0]!r} to the environment"
        )
    known = columns or inferred_contact_list((rule,), ())
    alone = Campaign(("pulled",), (), (rule,), (), "all", known)
    lowered, problems = kind.lower(alone, lambda what, found: environment.time_zone if what == TIME_ZONE else found)
    if problems:
        raise ValueError("; ".join(problem.message for problem in problems))
    known_fields = rule_in_set(wire, 0) if kind.atomic else content(wire)
    if lost := sorted(_fields(known_fields) - _fields(lowered)):
        raise ValueError(f"a rule of ours cannot say {', '.join(lost)}")
    return rule


def _fields(wire: object) -> set[str]:
    """Return the names of all fields that say something."""
    if isinstance(wire, Mapping):
        found = {str(key) for key, value in wire.items() if value not in (None, False, "", [], {})}
        return found.union(*map(_fields, wire.values()))
    return set().union(*map(_fields, wire)) if isinstance(wire, list) else set()

"""The ``rulesets`` target (rule sets of the public platform) as data and pure functions: what it can hold.

A rule set is one ordered list of rules for pre-call and wrap-up; the conditions of a rule must all hold, and there are
no groups. So ``all`` is taken apart, ``not`` is moved inwards, ``between`` is two conditions, ``notIn`` one for each
value: that changes no verdict. A rule with ``in`` on a column travels as one rule for each value where its actions
allow it. What would need more than that, or has no counterpart, is refused.

What is known of the platform stands in docs/targets.md, with where it is from.
"""

from __future__ import annotations

import json
from itertools import product
from math import prod
from typing import TYPE_CHECKING, Any

from dialproof.cel.text import ConditionError, condition_text, condition_type
from dialproof.cel.values import fold, parse_number, read_text
from dialproof.model.actions import repeats
from dialproof.model.rules import Condition, Group, When
from dialproof.targets.base import CODE, Refusal, refuser, refuses_first, span_of
from dialproof.targets.rewriting import MOST, clauses, joined_values
from dialproof.targets.rulesets_actions import lower_action
from dialproof.targets.rulesets_conditions import Lowering, Wire, remote_name

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from dialproof.model.contactlist import ContactList
    from dialproof.model.rules import Category, Rule
    from dialproof.project import Campaign
    from dialproof.source.positions import Span
    from dialproof.targets.base import Refuse, ResolveId
    from dialproof.targets.rewriting import Clause

__all__ = [
    "CATEGORIES",
    "DOMAINS",
    "LONGEST_BODY",
    "LONGEST_NAME",
    "NAME",
    "hosts_of",
    "lower_campaign",
    "lower_rule",
    "rule_set_name",
    "suppresses",
]

NAME = "rulesets"

LONGEST_NAME = 64
"""Characters of the name of a rule set."""

LONGEST_BODY = 512_000
"""Bytes of one request, which holds all rules of a set."""

DOMAINS: Mapping[str, str] = {
    "ap-northeast-1": "mypurecloud.jp",
    "ap-northeast-2": "apne2.pure.cloud",
    "ap-northeast-3": "apne3.pure.cloud",
    "ap-south-1": "aps1.pure.cloud",
    "ap-southeast-1": "apse1.pure.cloud",
    "ap-southeast-2": "mypurecloud.com.au",
    "ca-central-1": "cac1.pure.cloud",
    "eu-central-1": "mypurecloud.de",
    "eu-central-2": "euc2.pure.cloud",
    "eu-west-1": "mypurecloud.ie",
    "eu-west-2": "euw2.pure.cloud",
    "eusc-de-east-1": "edee1.eusc-pure.cloud",
    "me-central-1": "mec1.pure.cloud",
    "mx-central-1": "mxc1.pure.cloud",
    "sa-east-1": "sae1.pure.cloud",
    "us-east-1": "mypurecloud.com",
    "us-east-2": "use2.us-gov-pure.cloud",
    "us-west-2": "usw2.pure.cloud",
}
"""AWS region -> the platform's domain: the API is at ``api.`` of it, tokens come from ``login.`` of it."""

CATEGORIES: Mapping[Category, str] = {"preCall": "DIALER_PRECALL", "wrapUp": "DIALER_WRAPUP"}


def hosts_of(region: str) -> tuple[str, str] | None:
    """Return the URLs of the API and of tokens for an AWS region such as us-west-2; None for one that is not known."""
    domain = DOMAINS.get(region)
    return None if domain is None else (f"https://api.{domain}", f"https://login.{domain}/oauth/token")


def rule_set_name(campaign: Campaign) -> str:
    """Return the name of the rule set that holds a campaign's rules."""
    return campaign.files[0].rule_set


def lower_campaign(campaign: Campaign, resolve: ResolveId) -> tuple[list[Wire], list[Refusal]]:
    """Return the enabled rules of a campaign as rules of one set, in order, and a refusal for all that it cannot hold.

    ``order`` counts from 0 through both categories; a rule may travel as several.
    """
    refusals = [*refuses_first(NAME, campaign), *_several_sets(campaign)]
    rules: list[Wire] = []
    for rule in campaign.rules:
        if rule.enabled:
            lowered, found = lower_rule(rule, campaign.contact_list, resolve)
            rules += lowered
            refusals += found
    refusals += _one_column(campaign)
    for order, wire in enumerate(rules):
        wire["order"] = order
    if campaign.files and not refusals:
        size = len(json.dumps({"name": rule_set_name(campaign), "rules": rules}, ensure_ascii=False).encode())
        if size > LONGEST_BODY:
            text = (
                f"{NAME} takes all rules of a set in one request of at most {LONGEST_BODY:,} bytes; these are {size:,}"
            )
            file = campaign.files[0]
            refusals.append(
                Refusal(file.path, span_of(file, "rules"), CODE, text, "campaign", "make two campaigns of it")
            )
    return rules, refusals


def lower_rule(rule: Rule, columns: ContactList, resolve: ResolveId) -> tuple[list[Wire], list[Refusal]]:
    """Return a rule as the rules that it travels as, in order, each without ``order``.

    With refusals none of them must be sent.
    """
    refusals: list[Refusal] = []
    refuse = refuser(NAME, rule, refusals)
    lowering = Lowering(rule, columns, resolve, refuse)
    joined: list[list[Wire]] = []
    split: list[list[Wire]] = []
    for span, clause in clauses(rule.conditions):
        for wires in _clause(span, clause, lowering, refuse):
            (joined if len(wires) == 1 else split).append(wires)
    actions = [w for a in rule.actions if (w := lower_action(a, columns, resolve, refuse)) is not None]
    common = [wire for wires in joined for wire in wires]
    for condition in lowering.listed:
        _check_split(rule, condition, columns, refuse)
    count = prod(map(len, split))
    if count > MOST:
        refuse("condition", rule.span, f"{count:,} rules, one for each combination of values", "split the rule")
        return [], refusals
    head = {"category": CATEGORIES[rule.category], "actions": actions}
    cases = [[*common, *case] for case in product(*split)]
    return [{"name": _name(rule, n, count), **head, "conditions": c} for n, c in enumerate(cases, 1)], refusals


def _name(rule: Rule, number: int, count: int) -> str:
    return rule.name if count == 1 else f"{rule.name} ({number}/{count})"


def suppresses(wire: Mapping[str, Any]) -> bool:
    """Tell whether a rule of a set keeps contacts from being dialed."""
    stops = ("DO_NOT_DIAL", "CONTACT_UNCALLABLE", "NUMBER_UNCALLABLE")
    actions = wire.get("actions") or ()
    return wire.get("category") == "DIALER_PRECALL" and any(a.get("actionTypeName") in stops for a in actions)


def _clause(span: Span, part: Clause | Group | When, lowering: Lowering, refuse: Refuse) -> Iterator[list[Wire]]:
    """Yield lists of wire conditions, of each of which one must hold; nothing where the part is refused."""
    if isinstance(part, When) and part.text.strip() == "true":
        return  # no condition at all
    if isinstance(part, When):
        refuse("condition", span, "'when' (CEL)", "write conditions")
        return
    if isinstance(part, Group):
        refuse("condition", span, "a group in which alternatives hold several conditions")
        return
    for condition in part:
        try:
            condition_text(condition, lowering.columns)
        except ConditionError:
            refuse("condition", condition.span, "a condition without a meaning (DP103)")
            return
    one = joined_values(part)
    if one is not None:
        yield from lowering.condition(one)
    elif all(c.source == "context" and c.subject.startswith("now.") for c in part):
        yield from lowering.any_time(part)
    else:
        refuse("condition", span, "a group in which one of several conditions must hold")


def _check_split(rule: Rule, condition: Condition, columns: ContactList, refuse: Refuse) -> None:
    """Refuse one rule for each value where the actions do not allow it.

    A column has one value, so that one of the rules acts; unless the first one writes another value to it, two values
    are the same to a platform that does not tell upper from lower case, or a value that cannot be read counts as met.
    """
    if condition.source == "contact":
        written = {remote_name(str(a.fields["attribute"]), columns) for a in rule.actions if a.type == "setAttribute"}
        if remote_name(condition.subject, columns) in written:
            text = f"{condition.operator} on {condition.subject}, which the rule itself writes to"
            refuse("condition", condition.span, text, "it takes one rule for each value, and two of them could act")
            return
    values = condition.value if isinstance(condition.value, tuple) else ()
    several = len(set(map(_key, values))) < len(values) or condition_type(condition, columns) != "string"
    if several and not all(map(repeats, rule.actions)):
        text = f"{condition.operator} on {condition.subject} in a rule with an action that must not be done twice"
        refuse("condition", condition.span, text, "it takes one rule for each value, and two of them could act")


def _key(value: object) -> object:
    text = read_text(value)
    number = parse_number(text)
    return fold(text) if number is None else number


def _several_sets(campaign: Campaign) -> Iterator[Refusal]:
    """Yield a refusal for each file of a campaign that names another rule set than the first.

    In which order the rules of several sets of one campaign run is not documented.
    """
    for file in campaign.files[1:]:
        first = campaign.files[0]
        if file.rule_set != first.rule_set:
            text = (
                f"{NAME} holds a campaign's rules in one rule set: this file is of {file.rule_set!r}, {first.path} "
                f"of {first.rule_set!r}, and in which order two sets run is not documented"
            )
            hint = f"write ruleSet: {first.rule_set} in every file of the campaign"
            yield Refusal(file.path, span_of(file, "ruleSet"), CODE, text, "campaign", hint)


def _one_column(campaign: Campaign) -> Iterator[Refusal]:
    """Yield a refusal for each rule that uses a column which is one with another column on the platform."""
    from dialproof.model.rules import leaves

    columns = campaign.contact_list
    taken: dict[str, str] = {}
    for rule in campaign.rules:
        uses = [(c.subject, c.subject_span) for c in leaves(rule.conditions) if isinstance(c, Condition)
                and c.source == "contact"]  # fmt: skip
        uses += [(str(a.fields["attribute"]), a.span) for a in rule.actions if a.type == "setAttribute"]
        for name, span in uses:
            remote = remote_name(name, columns)
            other = taken.setdefault(remote, name)
            if other != name:
                text = f"rule {rule.name!r}: {NAME} cannot hold {name} beside {other}: both are column {remote!r} there"
                hint = "give one of them another `column` in the contact list"
                yield Refusal(rule.path, span, CODE, text, "rule", hint)

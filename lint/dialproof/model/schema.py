"""The keys of every kind of file, described once: reading, did-you-mean and the JSON Schemas follow from here."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "API_KEYS",
    "CASE",
    "CASE_EXPECT",
    "COLUMN",
    "CONDITION",
    "CONTACTLIST_FILE",
    "CONTACTS_FILE",
    "DEFAULTS",
    "EXPECT",
    "GROUP",
    "KINDS",
    "MAX_WHOLE",
    "ONLY_FOR",
    "RANGE",
    "RULE",
    "RULES_FILE",
    "SHARE",
    "TIMELINE",
    "Choice",
    "Custom",
    "Flag",
    "Key",
    "Kind",
    "ListOf",
    "MapOf",
    "Number",
    "Plain",
    "Record",
    "Text",
    "Whole",
    "json_schema",
    "schema_text",
]

KINDS = ("rules", "contacts", "contactlist")
"""The kinds of files; a file is of the kind that stands before its last suffix."""

API_KEYS = ("id", "selfUri", "dateCreated", "dateModified")
"""Keys of an API answer that are accepted in a rule and ignored."""


SHARE = r"(?:100(?:\.0+)?|[0-9]{1,2}(?:\.[0-9]+)?) *%"
"""A share of contacts as a regular expression: percent."""

MAX_WHOLE = 2**31 - 1
"""The largest whole number that a file may hold where one is due."""


@dataclass(frozen=True, slots=True)
class Text:
    """Text. ``form`` restricts it: a name, a date or time, a time zone, or when a step of a timeline happens."""

    form: Literal["any", "filled", "name", "moment", "zone", "at"] = "filled"


@dataclass(frozen=True, slots=True)
class Whole:
    """A whole number within bounds; ``code`` is reported where it is outside."""

    minimum: int = -MAX_WHOLE
    maximum: int = MAX_WHOLE
    code: str = "DP102"


@dataclass(frozen=True, slots=True)
class Number:
    """A finite number."""


@dataclass(frozen=True, slots=True)
class Flag:
    """True or false."""


@dataclass(frozen=True, slots=True)
class Choice:
    """One of several words."""

    options: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Plain:
    """Text, a number, or true or false."""


@dataclass(frozen=True, slots=True)
class ListOf:
    """A list; ``filled`` asks for at least one item (DP107)."""

    item: Kind
    filled: bool = False


@dataclass(frozen=True, slots=True)
class MapOf:
    """A mapping with free keys; ``filled`` asks for at least one (DP107)."""

    item: Kind
    filled: bool = False


@dataclass(frozen=True, slots=True)
class Custom:
    """Something with a reader of its own, by name; ``schema`` is its fragment of the JSON Schema."""

    name: str
    schema: Mapping[str, Any] = field(default_factory=dict, hash=False)


@dataclass(frozen=True, slots=True)
class Key:
    """One key of a record."""

    kind: Kind
    doc: str
    required: bool = False


@dataclass(frozen=True, slots=True)
class Record:
    """A mapping with known keys; ``one_of`` lists groups of keys of which exactly one must be given.

    ``at_most_one`` are groups of which one may be given, ``at_least_one`` those of which one must be; ``extension``
    allows keys that begin with ``x-``; ``ignored`` keys are noted and dropped.
    """

    name: str
    keys: Mapping[str, Key] = field(hash=False)
    one_of: tuple[tuple[str, ...], ...] = ()
    at_most_one: tuple[tuple[str, ...], ...] = ()
    at_least_one: tuple[tuple[str, ...], ...] = ()
    extension: bool = True
    ignored: tuple[str, ...] = ()


Kind: TypeAlias = Text | Whole | Number | Flag | Choice | Plain | ListOf | MapOf | Custom | Record

_TEXTS = ListOf(Text())
_EXPRESSION = Custom("expression", {"$ref": "#/definitions/expression"})
_CONTACT = Custom("contact", {"$ref": "#/definitions/contact"})
_CATEGORY = Choice(("preCall", "wrapUp"))
_TYPES = ("string", "number", "boolean", "datetime", "period")


def _frozen(**keys: Key) -> Mapping[str, Key]:
    return MappingProxyType(keys)


CONDITION = Record(
    "condition",
    _frozen(
        attribute=Key(Text(), "A column of the contact: a whole column name, else a path."),
        context=Key(Custom("context field", {"type": "string"}), "What surrounds the call, such as phone.type."),
        operator=Key(
            Custom("operator", {"$ref": "#/definitions/operator"}), "How the two are compared.", required=True
        ),
        value=Key(Custom("value", {"$ref": "#/definitions/value"}), "What it is compared with."),
        type=Key(Choice(_TYPES), "The type under which it is compared; default: that of the column."),
        inverted=Key(Flag(), "Whether the condition is turned round."),
    ),
    one_of=(("attribute", "context"),),
)

GROUP = Record(
    "group",
    _frozen(
        all=Key(ListOf(_EXPRESSION, filled=True), "All of these hold."),
        any=Key(ListOf(_EXPRESSION, filled=True), "At least one of these holds."),
        **{"not": Key(_EXPRESSION, "This does not hold.")},
    ),
    one_of=(("all", "any", "not"),),
)

RULE = Record(
    "rule",
    _frozen(
        name=Key(Text("name"), "The name, unique within the campaign.", required=True),
        description=Key(Text("any"), "What the rule is for."),
        version=Key(Whole(1), "The author's revision of this rule.", required=True),
        priority=Key(Whole(1, 1000, "DP108"), "Larger is more important; never affects evaluation.", required=True),
        executionOrder=Key(Whole(1), "Rules run from the lowest up; unique in a campaign.", required=True),
        enabled=Key(Flag(), "Whether the rule runs; default true."),
        category=Key(_CATEGORY, "When the rule runs; default preCall."),
        conditions=Key(ListOf(_EXPRESSION, filled=True), "All of these must hold."),
        when=Key(Text(), "The condition in CEL, instead of conditions."),
        actions=Key(
            ListOf(Custom("action", {"$ref": "#/definitions/action"}), filled=True),
            "What is done, in order.",
            required=True,
        ),
        owner=Key(Text(), "Who answers for the rule."),
        ticket=Key(Plain(), "Where the rule was agreed."),
        tags=Key(_TEXTS, "Free words."),
        effectiveFrom=Key(Text("moment"), "The rule is meant from this date or time."),
        effectiveUntil=Key(Text("moment"), "The rule is meant until this date or time."),
        runsAfter=Key(_TEXTS, "Names of rules that must run earlier."),
        overrides=Key(_TEXTS, "Names of earlier rules that this one overwrites on purpose."),
        renamedFrom=Key(Text(), "The earlier name, which keeps the remote id."),
    ),
    one_of=(("conditions", "when"),),
    ignored=API_KEYS,
)

RULES_FILE = Record(
    "rules file",
    _frozen(
        campaigns=Key(ListOf(Text("name"), filled=True), "Logical ids of the campaigns that run these rules."),
        campaign=Key(Text("name"), "The same for one campaign."),
        contactList=Key(Text(), "Path of the contact list file, relative to this file."),
        ruleSet=Key(Text("name"), "The name on the rulesets target; default: the file's name."),
        hitPolicy=Key(Choice(("all", "first")), "Whether every matching rule acts or only the first; default all."),
        total=Key(Flag(), "Whether every contact must be matched; default false."),
        rules=Key(ListOf(RULE, filled=True), "The rules.", required=True),
        invariants=Key(
            ListOf(Custom("invariant", {"$ref": "#/definitions/invariant"})), "Statements that hold on every contact."
        ),
    ),
    at_most_one=(("campaigns", "campaign"),),
)

EXPECT = Record(
    "expectation",
    _frozen(
        matched=Key(ListOf(Text()), "The rules that match: complete, in order."),
        not_matched=Key(ListOf(Text()), "Rules that do not match."),
        actions=Key(
            ListOf(Custom("expected action", {"$ref": "#/definitions/expectedAction"})),
            "The actions that run: complete, in order, each a partial match.",
        ),
        contact=Key(_CONTACT, "Columns of the contact after all writes; only what is checked."),
        lists=Key(MapOf(Flag()), "List memberships; only what is checked."),
        dial=Key(Flag(), "Whether the contact is dialed."),
        undecided=Key(ListOf(Text()), "The rules that could not be decided."),
    ),
    extension=False,
)

CASE_EXPECT = Record(
    EXPECT.name,
    MappingProxyType(
        {**EXPECT.keys, "invariants": Key(ListOf(Text(), filled=True), "Invariants that hold for the contact.")}
    ),
    extension=False,
)

_CASE_KEYS = {
    "category": Key(_CATEGORY, "Which rules run; default preCall."),
    "contact": Key(_CONTACT, "The contact: text, numbers, true or false, nested or with dotted names."),
    "context": Key(Custom("context", {"$ref": "#/definitions/context"}), "call, phone, lastAttempt, lastWrapUp, data."),
    "lists": Key(MapOf(Flag()), "List memberships at the start."),
}

DEFAULTS = Record("defaults", MappingProxyType(_CASE_KEYS))

CASE = Record(
    "case",
    _frozen(
        name=Key(Text("name"), "What the case shows, unique within the file.", required=True),
        tags=Key(_TEXTS, "Free words."),
        **_CASE_KEYS,
        now=Key(Text("moment"), "The frozen clock; default: the file's."),
        timeZone=Key(Text("zone"), "IANA time zone; default: the file's."),
        expect=Key(CASE_EXPECT, "What is asserted; at least one thing.", required=True),
    ),
)

ATTEMPT = Record(
    "attempt",
    _frozen(
        column=Key(Text(), "The phone column whose number is dialed; default: one number that has no name."),
        wrapUpCode=Key(Text(), "The wrap-up code with which the call ends, if it is placed."),
        systemDisposition=Key(Text(), "The system disposition with which the call ends."),
        analysis=Key(Text(), "What call analysis finds."),
    ),
    extension=False,
)

STEP = Record(
    "step",
    _frozen(
        at=Key(
            Text("at"),
            "A date or time, a period since the step before (P1D), or callback: when the scheduled callback is due.",
            required=True,
        ),
        attempt=Key(ATTEMPT, "The campaign comes to the contact; what the call ends with, if it is placed."),
        update=Key(_CONTACT, "Columns that somebody else writes."),
        context=Key(_CASE_KEYS["context"].kind, "Laid over the context of the case for this attempt."),
        expect=Key(EXPECT, "What is asserted of this attempt: its pre-call and wrap-up rules together."),
    ),
    one_of=(("attempt", "update"),),
)

AT_MOST = Record(
    "limit",
    _frozen(
        dials=Key(Whole(0), "How many calls.", required=True),
        within=Key(Custom("period", {"type": "string"}), "In any period of this length, such as P7D.", required=True),
    ),
    extension=False,
)

OVER_TIME = Record(
    "expectation over time",
    _frozen(
        dials=Key(Whole(0), "How many calls are placed in all."),
        lastDialed=Key(Text("moment"), "When the last call is placed."),
        atMost=Key(AT_MOST, "How many calls are placed at most in any period."),
        always=Key(Text(), "CEL over contact and outcome that holds at every attempt."),
    ),
    extension=False,
)

TIMELINE = Record(
    "case with a timeline",
    _frozen(
        **{key: CASE.keys[key] for key in ("name", "tags", "contact", "context", "lists")},
        now=Key(Text("moment"), "The time from which a period of the first step counts; default: the file's."),
        timeZone=CASE.keys["timeZone"],
        timeline=Key(ListOf(STEP, filled=True), "What happens, in order of time.", required=True),
        expect=Key(OVER_TIME, "What is asserted of all steps together."),
    ),
)

_AMOUNT = Custom("amount", {"$ref": "#/definitions/amount"})
_RANGE = Custom("range", {"$ref": "#/definitions/range"})

RANGE = Record(
    "range",
    _frozen(
        min=Key(_AMOUNT, "So many contacts at least: a number, or a share such as 5 %."),
        max=Key(_AMOUNT, "So many contacts at most."),
    ),
    at_least_one=(("min", "max"),),
    extension=False,
)

STATEMENT = Record(
    "statement",
    _frozen(
        always=Key(Text(), "CEL over contact and outcome that holds of each contact."),
        never=Key(Text(), "CEL over contact and outcome that holds of no contact."),
        where=Key(Text(), "CEL over contact and outcome: the contacts that this is about; default: all."),
    ),
    one_of=(("always", "never"),),
)

POPULATION = Record(
    "population",
    _frozen(
        name=Key(Text("name"), "What the population shows, unique within the file.", required=True),
        tags=Key(_TEXTS, "Free words."),
        contacts=Key(
            Custom("contact files", {"$ref": "#/definitions/contactFiles"}),
            "Paths or globs of CSV, gzipped CSV and Parquet files, relative to this file.",
            required=True,
        ),
        category=Key(_CATEGORY, "Which rules run; default preCall."),
        onBadRow=Key(Choice(("fail", "skip", "report")), "What a row that cannot be read is; default fail."),
        missingColumns=Key(
            Choice(("fail", "blank")), "What a column is that rules read and a file lacks; default fail."
        ),
        expect=Key(
            Record(
                "expectation",
                _frozen(
                    contacts=Key(_RANGE, "How many contacts there are."),
                    matched=Key(MapOf(_RANGE), "How many contacts each rule matches; only what is checked."),
                    dial=Key(_RANGE, "How many contacts are dialed."),
                    lists=Key(MapOf(_RANGE), "How many contacts end on each list; only what is checked."),
                    undecided=Key(_RANGE, "For how many contacts some rule cannot be decided; default 0."),
                    each=Key(ListOf(STATEMENT, filled=True), "What always or never holds of a contact."),
                ),
                extension=False,
            ),
            "What is asserted; at least one thing.",
            required=True,
        ),
    ),
)

CONTACTS_FILE = Record(
    "contacts file",
    _frozen(
        rules=Key(Text(), "Path of the rules file, relative to this file."),
        campaign=Key(Text(), "Logical id of the campaign."),
        timeZone=Key(Text("zone"), "IANA time zone of the contacts; default UTC."),
        now=Key(Text("moment"), "The frozen clock."),
        defaults=Key(DEFAULTS, "Merged into every case."),
        cases=Key(ListOf(Custom("case", {"$ref": "#/definitions/case"}), filled=True), "The cases."),
        population=Key(ListOf(POPULATION, filled=True), "Whole contact lists, each run as one item."),
    ),
    at_most_one=(("rules", "campaign"),),
    at_least_one=(("cases", "population"),),
)

COLUMN = Record(
    "column",
    _frozen(
        type=Key(
            Choice(("string", "integer", "number", "boolean", "datetime", "date")), "The type of values.", required=True
        ),
        required=Key(Flag(), "Whether it must not be blank; default false."),
        min=Key(Plain(), "The smallest value: a number, or a date or time."),
        max=Key(Plain(), "The largest value: a number, or a date or time."),
        decimals=Key(Whole(0, 15), "How many decimals a number has at most."),
        enum=Key(ListOf(Plain(), filled=True), "All values there are."),
        pattern=Key(Text(), "A regular expression of RE2 that text matches."),
        pii=Key(Flag(), "Personal: never shown in reports."),
        phone=Key(Flag(), "A phone number."),
        timeZone=Key(Flag(), "The contact's time zone."),
        column=Key(Text(), "The name on the platform; default: the last part of the path."),
    ),
)

_RANGED = ("integer", "number", "datetime", "date")
ONLY_FOR: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "min": _RANGED,
        "max": _RANGED,
        "decimals": ("number",),
        "enum": ("string", *_RANGED),
        "pattern": ("string",),
        "phone": ("string",),
        "timeZone": ("string",),
    }
)
"""Keys of a column -> the types of columns that may have them."""

CONTACTLIST_FILE = Record(
    "contact list",
    _frozen(columns=Key(MapOf(COLUMN, filled=True), "The columns by name or path.", required=True)),
)


def json_schema(kind: str) -> dict[str, Any]:
    """Return the JSON Schema (draft-07) of a kind of file: rules, contacts or contactlist."""
    from dialproof.model.schema_json import build

    return build(kind)


def schema_text(kind: str) -> str:
    """Return the JSON Schema of a kind as the text of the shipped file."""
    return json.dumps(json_schema(kind), indent=2, ensure_ascii=False) + "\n"

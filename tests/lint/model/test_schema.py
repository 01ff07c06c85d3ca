"""The shipped JSON Schemas say what the parsers say."""

from __future__ import annotations

import json
from importlib.resources import files
from pathlib import Path

import jsonschema
import pytest

from dialproof.model.parse_base import plain_value
from dialproof.model.parse_contactlist import parse_contactlist
from dialproof.model.parse_contacts import parse_contacts
from dialproof.model.parse_rules import parse_rules
from dialproof.model.schema import KINDS, json_schema, schema_text
from dialproof.source import read_source
from tests.lint.model import test_contacts, test_populations, test_rules, test_timelines

PARSERS = {"rules": parse_rules, "contacts": parse_contacts, "contactlist": parse_contactlist}
TEMPLATES = {
    "rules": "premium.rules.yaml",
    "contacts": "premium.contacts.yaml",
    "contactlist": "customers.contactlist.yaml",
}


def plain(text: str) -> object:
    """Return YAML as JSON Schema validators want it: dicts, lists and values."""
    root = read_source(Path("x.yaml"), "x.yaml", text.encode()).root
    assert root is not None

    def lists(value: object) -> object:
        if isinstance(value, dict):
            return {k: lists(v) for k, v in value.items()}
        return [lists(v) for v in value] if isinstance(value, tuple) else value

    return lists(plain_value(root))


def accepts(kind: str, text: str) -> bool:
    """Tell whether the schema of a kind accepts a text."""
    return jsonschema.Draft7Validator(json_schema(kind)).is_valid(plain(text))


@pytest.mark.parametrize("kind", KINDS)
def test_the_shipped_schema_is_fresh(kind: str) -> None:
    """The file in the package is what the description gives; `dialproof schema KIND` writes it anew."""
    assert files("dialproof").joinpath("schemas", f"{kind}.json").read_text("utf-8") == schema_text(kind)


@pytest.mark.parametrize("kind", KINDS)
def test_the_schema_is_a_schema(kind: str) -> None:
    """The schema is valid draft-07."""
    jsonschema.Draft7Validator.check_schema(json.loads(schema_text(kind)))


@pytest.mark.parametrize("kind", KINDS)
def test_good_files_pass_the_schema(kind: str) -> None:
    """What the parser reads without an error, the schema accepts."""
    texts = [files("dialproof").joinpath("templates", TEMPLATES[kind]).read_text("utf-8")]
    texts += {
        "rules": [test_rules.GOOD],
        "contacts": [test_contacts.GOOD, test_populations.GOOD, test_timelines.GOOD],
    }.get(kind, [])
    for text in texts:
        parsed, _ = PARSERS[kind](read_source(Path(f"a.{kind}.yaml"), f"a.{kind}.yaml", text.encode()))
        assert parsed is not None
        assert accepts(kind, text)


IN_RULES = [
    *(text for name, (text, *_) in test_rules.RULE_PROBLEMS.items() if name != "moment"),
    *(test_rules.rule(conditions=f"[{c}]") for n, (c, *_) in test_rules.CONDITIONS.items() if n != "infinite value"),
    *(test_rules.rule(actions=f"[{a}]") for n, (a, *_) in test_rules.ACTIONS.items() if n != "period"),
    *(text for text, *_ in test_rules.FILES.values()),
]
NOT_IN_A_SCHEMA = (
    "duplicate name",
    "dial in wrapUp",
    "column and path",
    "dot below",
    "context field",
    "zone",
    "not finite",
)
IN_CONTACTS = [
    *(text for name, (text, *_) in test_contacts.PROBLEMS.items() if name not in NOT_IN_A_SCHEMA),
    *(text for text, *_ in test_populations.PROBLEMS.values()),
    *(text for name, (text, *_) in test_timelines.PROBLEMS.items() if name not in test_timelines.BETWEEN),
]


@pytest.mark.parametrize(("kind", "text"), [*(("rules", t) for t in IN_RULES), *(("contacts", t) for t in IN_CONTACTS)])
def test_what_the_parser_refuses_the_schema_refuses(kind: str, text: str) -> None:
    """An editor underlines what the parser would report (but for what JSON Schema cannot say)."""
    assert not accepts(kind, text)


@pytest.mark.parametrize(
    "text",
    [
        "columns: {a: {}}",
        "columns: {a: {type: text}}",
        "columns: {a: {type: string, requred: true}}",
        "columns: {}",
        "columns: {a: {type: string, min: 1}}",
        "columns: {a: {type: integer, decimals: 1}}",
        "columns: {a: {type: boolean, enum: [true]}}",
        "x-a: 1",
    ],
)
def test_the_schema_refuses_wrong_columns(text: str) -> None:
    """The same for contact lists."""
    assert not accepts("contactlist", text)


NAMES = {
    "caf\u00e9\u00a0au lait": True,
    "\U0001f468\u200d\U0001f469\u200d\U0001f467": True,
    "a": True,
    "a b": True,
    "": False,
    " a": False,
    "a ": False,
    "a\u00a0": False,
    "a\n": False,
    "a\nb": False,
    "a\u2028b": False,
    "a\u2029": False,
    "a\x07b": False,
    "a\x85b": False,
    "a::b": False,
}


@pytest.mark.parametrize(("name", "good"), NAMES.items())
def test_parser_and_schema_take_the_same_names(name: str, good: bool) -> None:
    """Any letter, blank inside or joined emoji may be in a name; line ends, control characters and ``::`` may not."""
    text = test_rules.rule(name=json.dumps(name, ensure_ascii=max(name, default="") < "\U00010000"))
    parsed, _ = parse_rules(read_source(Path("a.rules.yaml"), "a.rules.yaml", text.encode()))
    assert (parsed is not None, accepts("rules", text)) == (good, good)

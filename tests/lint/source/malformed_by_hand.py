"""Files that are nasty on purpose: what somebody would have to think of, each with the exit code of lint."""

from __future__ import annotations

import codecs
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["GOOD", "NASTY"]

RULES = """\
campaign: c
rules:
  - name: r
    version: 1
    priority: 1
    executionOrder: 1
    {conditions}
    actions: [{{type: setList, listId: l}}]
"""


def _rule(conditions: str) -> bytes:
    return RULES.format(conditions=conditions).encode("utf-8", "surrogatepass")


GOOD = _rule("when: 'true'")
"""A rules file in which nothing is wrong enough to fail."""


def _condition(text: str) -> bytes:
    return _rule(f"conditions: [{{{text}}}]")


def _bomb(levels: int) -> bytes:
    lines = ["x-0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"x-{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, levels)]
    return ("\n".join(lines) + "\n" + RULES.format(conditions="when: 'true'")).encode()


_A, _LIST, _CASES = "a.rules.yaml", "a.contactlist.yaml", "a.contacts.yaml"
NASTY: Mapping[str, tuple[str, bytes, int]] = {
    "nothing": (_A, b"", 3),
    "a byte order mark and nothing": (_A, codecs.BOM_UTF8, 3),
    "only NULs": (_A, b"\0" * 4096, 3),
    "a PNG": (_A, b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR", 3),
    "a gzip file": (_A, b"\x1f\x8b\x08\x00\x00\x00\x00\x00", 3),
    "deep flow": (_A, b"[" * 100_000, 3),
    "deep mappings": (_A, b"{a: " * 10_000, 3),
    "deep blocks": (_A, b"".join(b" " * n + b"a:\n" for n in range(300)), 3),
    "deep groups": (_A, _rule("conditions: [" + "{not: " * 200 + "{}" + "}" * 200 + "]"), 3),
    "groups up to the bound": (_A, _rule("conditions: [" + "{not: " * 45 + "{}" + "}" * 45 + "]"), 1),
    "an alias bomb": (_A, _bomb(9), 3),
    "a value that holds itself": (_A, b"campaign: c\nrules: &a\n  - *a\n", 3),
    "a mapping that holds itself": (_A, b"campaign: c\nx-a: &a {b: *a}\nrules: []\n", 3),
    "an anchor of another document": (_A, b"a: &a 1\n---\nb: *a\n", 3),
    "a merge key": (_A, b"x-a: &a {name: r}\ncampaign: c\nrules:\n  - {<<: *a, version: 1}\n", 1),
    "a tag that builds objects": (_A, b"campaign: !!python/object/apply:os.system [id]\n", 3),
    "a directive": (_A, b"%YAML 9.9\n---\ncampaign: c\n", 3),
    "JSON in a YAML file with a comma too many": (_A, b'{"campaign": "c", "rules": [,]}', 3),
    "YAML in a JSON file": ("a.rules.json", b"campaign: c\nrules: []\n", 3),
    "a number of 5000 digits in JSON": ("a.rules.json", b'{"campaign": "c", "rules": ' + b"9" * 5000 + b"}", 1),
    "an infinite number in JSON": ("a.rules.json", b'{"campaign": "c", "rules": 1e999}', 1),
    "NaN in JSON": ("a.rules.json", b'{"campaign": "c", "rules": NaN}', 3),
    "deep JSON": ("a.rules.json", b'{"a":' * 50_000, 3),
    "half a surrogate pair in JSON": ("a.rules.json", b'{"campaign": "\\ud800", "rules": []}', 3),
    "an order in quotes": (_A, GOOD.replace(b"executionOrder: 1", b'executionOrder: "1"'), 1),
    "an order of a date": (_A, GOOD.replace(b"executionOrder: 1", b"executionOrder: 2026-01-01"), 1),
    "an endless order": (_A, GOOD.replace(b"executionOrder: 1", b"executionOrder: 1e400"), 1),
    "an order of 5000 digits": (_A, GOOD.replace(b"executionOrder: 1", b"executionOrder: " + b"9" * 5000), 1),
    "a priority of no number": (_A, GOOD.replace(b"priority: 1", b"priority: .nan"), 1),
    "a version that is negative": (_A, GOOD.replace(b"version: 1", b"version: -0"), 1),
    "a name of 100,000 characters": (_A, _rule("when: '('").replace(b"name: r", b"name: " + b"r" * 100_000), 1),
    "a name with a line feed": (_A, _rule("when: '('").replace(b"name: r", b'name: "a\\nb"'), 1),
    "a name with an escape": (_A, _rule("when: '('").replace(b"name: r", b'name: "\\e[31mred"'), 1),
    "a name from right to left": (_A, _rule("when: '('").replace(b"name: r", "name: \u202egnol".encode()), 1),
    "a name of one emoji of a family": (_A, _rule("when: '('").replace(b"name: r", "name: 👨‍👩‍👧‍👦".encode()), 1),
    "a name with a NUL": (_A, _rule("when: '('").replace(b"name: r", b'name: "a\\0b"'), 1),
    "CEL that stops": (_A, _rule("when: |\n      contact.a >\n"), 1),
    "CEL that stops in a later line": (_A, _rule("when: |\n      contact.a > 1.0 &&\n\n      (contact.b ==\n"), 1),
    "CEL that stops in a folded block": (
        _A,
        _rule("when: >-\n      contact.a > 1.0\n      && (\n        contact.b"),
        1,
    ),
    "CEL with a text that does not end": (_A, _rule('when: |\n      contact.a == "x\n'), 1),
    "CEL with a character that is none": (_A, _rule("when: |\n      contact.a == “x”\n"), 1),
    "CEL behind emoji": (_A, _rule('when: |\n      "📞📞" == contact.a §\n'), 1),
    "CEL in quotes with escapes": (_A, _rule('when: "contact.a \\u003e\\n \\x3c 5"'), 1),
    "CEL in single quotes": (_A, _rule("when: 'contact.a == ''x'' ('"), 1),
    "CEL over several plain lines": (_A, _rule("when: contact.a >\n      1.0 )\n"), 1),
    "CEL with a carriage return": (_A, _rule("when: |\n      contact.a >\r\n      ) 1\r\n"), 1),
    "CEL that is empty": (_A, _rule("when: ''"), 1),
    "CEL that is a comment": (_A, _rule("when: '// nothing'"), 1),
    "CEL of an unknown function": (_A, _rule("when: frobnicate(contact.a)"), 1),
    "CEL that is no condition": (_A, _rule("when: 1 + 1"), 1),
    "CEL with a huge number": (_A, _rule("when: contact.a > 1" + "0" * 400), 1),
    "CEL with a long number": (_A, _rule("when: contact.a > 1" + "0" * 5000), 1),
    "CEL that is too long": (_A, _rule("when: " + " || ".join(["contact.a"] * 5000)), 1),
    "CEL that is too deep": (_A, _rule("when: '" + "(" * 3000 + "1" + ")" * 3000 + "'"), 1),
    "CEL with too many brackets that do something": (_A, _rule("when: '" + "!(" * 60 + "true" + ")" * 60 + "'"), 1),
    "CEL with macros in macros": (_A, _rule("when: '[1, 2].all(a, [1, 2].all(b, a > b))'"), 1),
    "CEL of lists that multiply": (
        _A,
        _rule("when: '" + "".join(f"contact.a.all(v{n}, " for n in range(9)) + "true" + ")" * 9 + "'"),
        1,
    ),
    "CEL with a regular expression that is none": (_A, _rule("when: contact.a.matches('(')"), 1),
    "CEL that divides by zero": (_A, _rule("when: 1 / 0 > 0"), 0),
    "CEL with a bytes literal": (_A, _rule("when: b'\\xff' == b'a'"), 1),
    "an unknown operator": (_A, _condition("attribute: a, operator: frobs, value: x"), 1),
    "an operator that is a list": (_A, _condition("attribute: a, operator: [equals], value: x"), 1),
    "an operator without a value": (_A, _condition("attribute: a, operator: equals"), 1),
    "an operator that takes none": (_A, _condition("attribute: a, operator: exists, value: 5"), 1),
    "between one": (_A, _condition("attribute: a, operator: between, value: [1], type: number"), 1),
    "between three": (_A, _condition("attribute: a, operator: between, value: [1, 2, 3], type: number"), 1),
    "between the wrong way round": (_A, _condition("attribute: a, operator: between, value: [9, 1], type: number"), 1),
    "in nothing": (_A, _condition("attribute: a, operator: in, value: []"), 1),
    "in lists": (_A, _condition("attribute: a, operator: in, value: [[x], {y: 1}]"), 1),
    "a value of no number": (_A, _condition("attribute: a, operator: lessThan, value: .nan, type: number"), 1),
    "an endless value": (_A, _condition("attribute: a, operator: lessThan, value: .inf, type: number"), 1),
    "a value of 5000 digits": (
        _A,
        _condition(f"attribute: a, operator: lessThan, value: {'9' * 5000}, type: number"),
        1,
    ),
    "a date that is none": (_A, _condition("attribute: a, operator: before, value: 2026-02-30, type: datetime"), 1),
    "a date of the year 0": (_A, _condition("attribute: a, operator: before, value: 0000-01-01, type: datetime"), 1),
    "a date of the year 9999": (
        _A,
        _condition("attribute: a, operator: after, value: '9999-12-31T23:59:59-23:59', type: datetime"),
        1,
    ),
    "a period that is none": (_A, _condition("attribute: a, operator: lessThan, value: P, type: period"), 1),
    "a period of ages": (_A, _condition(f"attribute: a, operator: lessThan, value: P{'9' * 30}D, type: period"), 1),
    "a regular expression that is none": (_A, _condition("attribute: a, operator: matches, value: '('"), 1),
    "a regular expression that RE2 does not know": (
        _A,
        _condition("attribute: a, operator: matches, value: '(?=a)'"),
        1,
    ),
    "a regular expression with a back reference": (
        _A,
        _condition("attribute: a, operator: matches, value: '(a)\\1'"),
        1,
    ),
    "a regular expression that repeats too often": (
        _A,
        _condition("attribute: a, operator: matches, value: '(a{999}){999}'"),
        1,
    ),
    "contains nothing": (_A, _condition("attribute: a, operator: contains, value: ''"), 1),
    "an attribute and a context": (_A, _condition("attribute: a, context: call.wrapUpCode, operator: exists"), 1),
    "neither attribute nor context": (_A, _condition("operator: exists"), 1),
    "an attribute without a name": (_A, _condition("attribute: '', operator: exists"), 1),
    "an attribute with quotes": (_A, _condition("attribute: 'a\"]', operator: equals, value: x"), 0),
    "an unknown context": (_A, _condition("context: now.century, operator: equals, value: 21"), 1),
    "a group of nothing": (_A, _condition("any: []"), 1),
    "a group of texts": (_A, _condition("all: [a, b]"), 1),
    "not with two": (_A, _condition("not: [{attribute: a, operator: exists}, {attribute: b, operator: exists}]"), 1),
    "a group that is a condition too": (
        _A,
        _condition("any: [{attribute: a, operator: exists}], attribute: b, operator: exists"),
        1,
    ),
    "conditions and when": (_A, _rule("conditions: [{attribute: a, operator: exists}]\n    when: 'true'"), 1),
    "conditions that are one condition": (_A, _rule("conditions: {attribute: a, operator: exists}"), 1),
    "no condition": (_A, _rule("conditions: []"), 1),
    "an unknown action": (_A, GOOD.replace(b"setList", b"setLst"), 1),
    "an action without a type": (_A, GOOD.replace(b"type: setList, ", b""), 1),
    "an action that is a text": (_A, GOOD.replace(b"{type: setList, listId: l}", b"setList"), 1),
    "a category that is none": (_A, _rule("when: 'true'\n    category: preDial"), 1),
    "a rule that runs after itself": (_A, _rule("when: 'true'\n    runsAfter: [r]"), 1),
    "an end that is no date": (_A, _rule("when: 'true'\n    effectiveUntil: someday"), 1),
    "an invariant that is none": (_A, GOOD + b"invariants:\n  - name: i\n    always: |\n      outcome.dial &&\n", 1),
    "two rules of one name": (_A, GOOD + GOOD.split(b"rules:\n")[1], 1),
    "a campaign that is a list of lists": (_A, GOOD.replace(b"campaign: c", b"campaigns: [[c]]"), 1),
    "no campaign in the list": (_A, GOOD.replace(b"campaign: c", b"campaigns: []"), 1),
    "a contact list that is not there": (_A, b"contactList: no.contactlist.yaml\n" + GOOD, 1),
    "a contact list of another kind": (_A, b"contactList: a.rules.yaml\n" + GOOD, 1),
    "a contact list outside of everything": (_A, b"contactList: ../../../../etc/passwd\n" + GOOD, 1),
    "a contact list with a NUL": (_A, b'contactList: "a\\0.contactlist.yaml"\n' + GOOD, 1),
    "a contact list with a long name": (_A, b"contactList: " + b"a" * 5000 + b".contactlist.yaml\n" + GOOD, 1),
    "a suppression that is not closed": (_A, b"# dialproof: ignore[DP301 because\n" + GOOD, 1),
    "a suppression without a reason": (_A, b"# dialproof: ignore[DP301]\n" + GOOD, 1),
    "a suppression until no day": (_A, b"# dialproof: ignore[DP301] x until 2026-99-99\n" + GOOD, 1),
    "a suppression of what cannot be suppressed": (_A, b"# dialproof: ignore-file[DP101] x\n" + GOOD, 1),
    "a suppression of NULs": (_A, b"# dialproof: ignore[\0] x\n" + GOOD, 3),
    "columns that are a list": (_LIST, b"columns: [a, b]\n", 1),
    "columns without a type": (_LIST, b"columns: {a: {}}\n", 1),
    "a type that is none": (_LIST, b"columns: {a: {type: int}}\n", 1),
    "bounds the wrong way round": (_LIST, b"columns: {a: {type: number, min: 5, max: 1}}\n", 1),
    "bounds of no number": (_LIST, b"columns: {a: {type: number, min: .nan, max: .inf}}\n", 1),
    "bounds of a text": (_LIST, b"columns: {a: {type: string, min: 5}}\n", 1),
    "bounds of dates that are none": (_LIST, b"columns: {a: {type: date, min: 2026-02-30}}\n", 1),
    "decimals without end": (_LIST, b"columns: {a: {type: number, decimals: 999999}}\n", 1),
    "negative decimals": (_LIST, b"columns: {a: {type: number, decimals: -1}}\n", 1),
    "an enumeration of nothing": (_LIST, b"columns: {a: {type: string, enum: []}}\n", 1),
    "an enumeration of lists": (_LIST, b"columns: {a: {type: string, enum: [[x]]}}\n", 1),
    "an enumeration twice": (_LIST, b"columns: {a: {type: string, enum: [x, x]}}\n", 1),
    "a pattern that is none": (_LIST, b"columns: {a: {type: string, pattern: '['}}\n", 1),
    "a pattern of a number": (_LIST, b"columns: {a: {type: number, pattern: '1'}}\n", 1),
    "a column without a name": (_LIST, b"columns: {'': {type: string}}\n", 1),
    "a column of dots": (_LIST, b"columns: {'..': {type: string}}\n", 1),
    "a time zone that is none": (_LIST, b"columns: {a: {type: datetime, timeZone: Mars/Phobos}}\n", 1),
    "cases that are a mapping": (_CASES, b"cases: {a: {expect: {dial: true}}}\n", 1),
    "cases without rules": (_CASES, b"cases: [{name: a, expect: {dial: true}}]\n", 1),
    "a case that expects nothing": (_CASES, b"cases: [{name: a, contact: {b: 1}, expect: {}}]\n", 1),
    "a case that expects texts": (_CASES, b"cases: [{name: a, contact: {b: 1}, expect: dial}]\n", 1),
    "a clock that is none": (_CASES, b"now: noon\ncases: [{name: a, expect: {dial: true}}]\n", 1),
    "a clock of a time zone outside of the world": (
        _CASES,
        b"timeZone: ../../etc/localtime\ncases: [{name: a, expect: {dial: true}}]\n",
        1,
    ),
    "a time zone with a NUL": (_CASES, b'timeZone: "\\0"\ncases: [{name: a, expect: {dial: true}}]\n', 1),
    "a timeline": (_CASES, b"timeline: []\ncases: []\n", 1),
    "a contact that is a list": (_CASES, b"cases: [{name: a, contact: [1], expect: {dial: true}}]\n", 1),
    "a contact of lists": (_CASES, b"cases: [{name: a, contact: {b: [1]}, expect: {dial: true}}]\n", 1),
    "two cases of one name": (
        _CASES,
        b"cases: [{name: a, expect: {dial: true}}, {name: a, expect: {dial: true}}]\n",
        1,
    ),
    "a name with two colons": (_CASES, b"cases: [{name: 'a::b', expect: {dial: true}}]\n", 1),
    "a context that is none": (_CASES, b"cases: [{name: a, context: {weather: fine}, expect: {dial: true}}]\n", 1),
    "a CSV of NULs": ("a.contacts.csv", b"a;expect.dial\n\0;true\n", 1),
    "a CSV in UTF-16": ("a.contacts.csv", "a;expect.dial\nx;true\n".encode("utf-16"), 3),
    "a CSV of one open quote": ("a.contacts.csv", b'"', 3),
    "a CSV of separators": ("a.contacts.csv", b";;;\n;;;\n", 3),
    "a CSV with a cell of a megabyte": ("a.contacts.csv", b"a;expect.dial\n" + b"x" * 1_000_000 + b";true\n", 3),
    "a CSV with a column a thousand times": ("a.contacts.csv", b";".join([b"a"] * 1000) + b"\n", 3),
    "a name without a kind": ("a.yaml", GOOD, 2),
    "TOML that is none": ("dialproof.toml", b"select = [\n", 2),
    "TOML of NULs": ("dialproof.toml", b"\0", 2),
    "TOML in UTF-16": ("dialproof.toml", "select = []".encode("utf-16"), 2),
    "TOML with a byte order mark": ("dialproof.toml", codecs.BOM_UTF8 + b"select = []\n", 2),
    "TOML of 5000 digits": ("dialproof.toml", b"[gate]\nmaxAgeHours = " + b"9" * 5000 + b"\n", 2),
    "deep TOML": ("dialproof.toml", b"select = " + b"[" * 5000 + b"\n", 2),
    "TOML with deep keys": ("dialproof.toml", b"a" + b".a" * 5000 + b" = 1\n", 2),
    "TOML with a check that is none": ("dialproof.toml", b'select = ["DP999"]\n', 2),
    "TOML with a budget of nothing": ("dialproof.toml", b"[checks.DP301]\nbudget = 0\n", 2),
    "TOML with a huge budget": ("dialproof.toml", b"[checks.DP301]\nbudget = 99999999999999999999\n", 0),
    "TOML with a campaign without files": ("dialproof.toml", b'[campaigns.c]\nrules = ["no.rules.yaml"]\n', 2),
    "TOML with an id that is a list": ("dialproof.toml", b"[environments.e.ids]\nlists = [1]\n", 2),
    "TOML with an address that is none": ("dialproof.toml", b'[environments.e]\nbase_url = "ftp://["\n', 2),
    "a project file that is broken": ("pyproject.toml", b"[tool.dialproof\n", 2),
    "a project file whose table is a list": ("pyproject.toml", b"[[tool.dialproof]]\n", 2),
    "a project file whose table is a text": ("pyproject.toml", b'[tool]\ndialproof = "x"\n', 2),
}
"""Name -> (file, content, exit code)."""

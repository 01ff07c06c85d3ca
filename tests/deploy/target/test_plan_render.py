"""Plans as text, JSON and Markdown: what they say, and what they must not show."""

from __future__ import annotations

import json
from dataclasses import replace
from html.parser import HTMLParser
from typing import Any

import pytest
from markdown import markdown
from target_fakes import rule, stored

from dialproof.errors import UsageError
from dialproof_deploy.plan.plan import Plan, make_plan
from dialproof_deploy.plan.render import FORMATS, render


def condition(attribute: str, value: object, **more: object) -> dict[str, Any]:
    """Return a wire condition."""
    return {"attribute": attribute, "operator": "equals", "value": value, "type": "string", **more}


def plan(desired: list[Any], remote: list[Any], **options: Any) -> Plan:
    """Return the plan of a campaign that the files call cmp_123."""
    return replace(make_plan("8f2f", desired, remote, **options), logical="cmp_123", personal=frozenset({"phone"}))


CHANGED = plan(
    [rule("a", 1, priority=9), rule("b", 2)], [stored("a", 1), stored("c", 3), stored("k", 4)], prune=["c"], keep=["k"]
)


def test_the_text_ends_with_what_it_touches() -> None:
    """Each campaign with its id in the files and on the target; last, one sentence on all of them."""
    untouched = replace(plan([rule("a", 1)], [stored("a", 1)]), logical="cmp_9", campaign="cmp_9")
    lines = render("text", "prod", [CHANGED, untouched]).splitlines()
    assert lines[0] == "Campaign cmp_123 (8f2f): 1 create, 1 update, 1 delete"
    assert lines[-2:] == [
        "Campaign cmp_9: no changes, 1 rule unchanged",
        "Plan for environment prod: 3 writes to cmp_123 (8f2f); 1 campaign without changes",
    ]
    assert render("text", "prod", [untouched]).splitlines()[-1] == "Plan for environment prod: no changes"
    refused = plan([], [stored("theirs", 1)])
    assert render("text", "prod", [refused]).splitlines()[-1].endswith("no changes; it cannot be applied")


def test_json_has_every_write_with_its_fields() -> None:
    """Programs read what changes field by field, and the whole rule before and after."""
    data = json.loads(render("json", "prod", [CHANGED]))
    assert (data["environment"], data["writes"], data["refused"]) == ("prod", 3, False)
    [campaign] = data["campaigns"]
    assert (campaign["campaign"], campaign["remote_id"], campaign["digest"]) == ("cmp_123", "8f2f", CHANGED.digest)
    steps = {step["rule"]: step for step in campaign["steps"]}
    assert steps["a"]["differences"] == [{"field": "priority", "before": 100, "after": 9}]
    assert steps["b"]["after"]["executionOrder"] == 2
    assert (steps["c"]["action"], steps["c"]["after"], steps["c"]["rule_id"]) == ("delete", None, "id-c")
    assert campaign["kept"] == ["k"]


@pytest.mark.parametrize("name", FORMATS)
def test_no_format_shows_a_personal_value(name: str) -> None:
    """What stands in the files or on the target about a personal column is hidden, and still seen to change."""
    numbers = ["+15550100", "+15550101", "+15550102", "15550103", "+15550104"]
    desired = [
        rule("a", 1, conditions=[condition("phone", numbers[0]), condition("state", "TX")]),
        rule("new", 2, conditions=[condition("phone", numbers[3])]),
    ]
    remote = [
        stored("a", 1, conditions=[condition("phone", numbers[1]), condition("state", "CA")]),
        stored("gone", 3, actions=[{"type": "setAttribute", "attribute": "phone", "value": numbers[2]}]),
        stored("sets", 4, actions=[{"type": "modifyContactAttribute", "properties": {"phone": numbers[4]}}]),
    ]
    text = render(name, "prod", [plan(desired, remote, prune=["gone", "sets"])])
    assert not [number for number in numbers if number in text]
    assert "conditions[0].value" in text
    assert text.count("[pii]") >= 2
    assert "TX" in text


class _Text(HTMLParser):
    """Collects the tags of a page, and its text outside of code."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.plain = ""
        self._code = 0

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.tags.append(tag)
        self._code += tag == "code"

    def handle_endtag(self, tag: str) -> None:
        self._code -= tag == "code"

    def handle_data(self, data: str) -> None:
        self.plain += "" if self._code else data


def test_markdown_is_a_table_that_nobody_s_rule_can_leave() -> None:
    """A reader of Markdown sees one row a write; names and values of others stay text in code."""
    evil = "x` | <img src=y> @everyone ``\n# [z](http://w)"
    desired = [rule(evil, 1, description=evil, conditions=[condition("state", evil)]), rule("b", 2, priority=9)]
    text = render("markdown", "prod", [plan(desired, [stored("b", 2), stored(f"other {evil}", 9)])])
    page = _Text()
    page.feed(markdown(text, extensions=["tables", "fenced_code"]))
    assert page.tags.count("tr") == 3
    assert page.tags.count("td") == 6
    assert not {"img", "a", "h1"} & {*page.tags}
    assert "everyone" not in page.plain
    assert "priority" in text
    assert "100" in text
    assert "foreign rule" in text


def test_a_comment_is_never_too_long_for_its_reader() -> None:
    """GitHub takes 65,536 characters: the table is left out first, then campaigns, and the text says so."""
    many = plan([rule(f"rule {n}", n, description="x" * 500) for n in range(1, 400)], [])
    assert "left out" not in render("markdown", "prod", [CHANGED])
    text = render("markdown", "prod", [CHANGED, many])
    assert len(text) < 65_536
    assert "The table of its writes is left out" in text
    assert "`rule 1`" not in text
    refused = plan([], [stored(f"foreign {n}", n) for n in range(1, 700)])
    text = render("markdown", "prod", [CHANGED, refused, many])
    assert len(text) < 65_536
    assert "campaigns are left out" in text


def test_formats_and_files_are_those_of_the_linter() -> None:
    """An unknown format, and two to one place, are usage errors."""
    from dialproof.cli.outputs import outputs_of

    assert [name for name, _ in outputs_of(["text", "markdown=a.md", "json=b.json"], FORMATS)] == [
        "text",
        "markdown",
        "json",
    ]
    for wrong, says in (
        (["html"], "no output format 'html'; there are text, json, markdown"),
        (["auto"], "no output format 'auto'"),
        (["text", "json"], "only one --output-format can go to the terminal"),
        (["json=a", "markdown=a"], "two --output-format name one file"),
        (["json="], "names no file"),
    ):
        with pytest.raises(UsageError, match=says):
            outputs_of(wrong, FORMATS)

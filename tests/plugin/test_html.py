"""``--dialproof-html``: one page with what the run showed, that needs nothing beside it and tells nobody's number."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import TYPE_CHECKING

import pytest

from tests.plugin.conftest import ITEMS, edit

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Run = Callable[..., pytest.RunResult]

_VOID = {"meta", "br", "line", "circle"}


class Reader(HTMLParser):
    """Reads a page strictly: what is opened is closed in order; keeps ids, links and the text by element."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[str] = []
        self.ids: list[str] = []
        self.links: list[str] = []
        self.texts: dict[str, list[str]] = {}
        self.feed(page)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note what begins."""
        self.tags.append(tag)
        if tag not in _VOID:
            self.open.append(tag)
        for name, value in attrs:
            assert not name.startswith("on"), f"{tag} {name}"
            if name == "id":
                self.ids.append(value or "")
            elif name in ("href", "src", "srcset", "data", "action"):
                self.links.append(value or "")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note what begins and ends at once, as in SVG."""
        self.handle_starttag(tag, attrs)
        if tag not in _VOID:
            self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        """Take back what was opened last, which must be what ends."""
        if tag == "line":
            return
        assert self.open.pop() == tag, (tag, self.getpos())

    def handle_data(self, data: str) -> None:
        """Keep text by the element that it stands in."""
        if self.open and data.strip():
            self.texts.setdefault(self.open[-1], []).append(data.strip())


def page_of(pytester: pytest.Pytester) -> tuple[str, Reader]:
    """Return the page that was written, and what was read in it."""
    text = (pytester.path / "report.html").read_text(encoding="utf-8")
    return text, Reader(text)


def test_a_green_run_says_so(project: Path, run: Run, workers: str, pytester: pytest.Pytester) -> None:
    """Gate, counts, coverage and every item, the same with and without workers; the terminal names the file."""
    result = run("rules", workers, "--dialproof-html=report.html")
    result.assert_outcomes(passed=ITEMS)
    result.stdout.fnmatch_lines(["report in report.html", "GATE OPEN*"])
    _, page = page_of(pytester)
    assert page.texts["strong"] == ["GATE OPEN"]
    assert page.texts["b"][:2] == [str(ITEMS), "0"]
    assert {"high_value", "new_lead"} <= set(page.texts["th"])
    assert page.texts["td"].count("●") == 2
    assert page.texts["td"].count("○") == 2
    assert any(text.startswith("rules/premium.contacts.yaml::gold goes") for text in page.texts["td"])
    assert "Failures" not in page.texts["h3"]


def test_a_red_run_shows_why_without_anybodys_number(
    project: Path, run: Run, workers: str, pytester: pytest.Pytester
) -> None:
    """The table of conditions of each failure; two rules that contradict each other are a line of the drawing."""
    edit(project / "premium.rules.yaml", '"5000"', '"9500"')
    edit(project / "premium.rules.yaml", 'listId: warm_desk, value: "true"', 'listId: premium, value: "false"')
    result = run("rules", workers, "--dialproof-html=report.html")
    assert result.ret == 1
    text, page = page_of(pytester)
    assert "5551234567" not in text
    assert page.texts["strong"] == ["GATE CLOSED"]
    failures = "\n".join(page.texts["pre"])
    assert 'customFields.lifetimeValue  greaterThan  "9500"  9000    false' in failures
    assert "A contact that shows it:\n  customFields" in failures
    assert re.search(r'<line class="conflict"[^>]*><title>DP301 ', text)
    assert page.texts["text"] == ["high_value", "new_lead"]
    assert "Rules that meet" in page.texts["h3"]


def test_a_finding_tells_nobodys_number(project: Path, run: Run, pytester: pytest.Pytester) -> None:
    """Neither on the page nor in the terminal: the contact that shows a conflict has the number that a rule names."""
    edit(
        project / "premium.rules.yaml",
        'customFields.leadAge, operator: lessThan, value: "7", type: number',
        'phone, operator: equals, value: "+15550009999"',
    )
    edit(project / "premium.rules.yaml", 'listId: warm_desk, value: "true"', 'listId: premium, value: "false"')
    result = run("rules", "--dialproof-html=report.html")
    result.stdout.fnmatch_lines(["* phone *•••"])
    text, page = page_of(pytester)
    assert any(re.search(r"A contact that shows it:(\n .*)*\n  phone +•••", said) for said in page.texts["pre"])
    assert "5550009999" not in text + result.stdout.str()


def test_findings_that_are_not_shown_are_counted(
    project: Path, run: Run, pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An error that is not on the page is an error all the same."""
    rules = project / "premium.rules.yaml"
    edit(rules, 'listId: warm_desk, value: "true"', 'listId: premium, value: "false"')
    edit(
        rules,
        "invariants:\n",
        """\
  - name: old_lead
    version: 1
    priority: 40
    executionOrder: 3
    conditions:
      - {attribute: customFields.leadAge, operator: greaterThan, value: "90", type: number}
    actions:
      - {type: setList, listId: premium, value: "false"}
invariants:
""",
    )
    monkeypatch.setattr("pytest_dialproof.html.content.MOST_FINDINGS", 1)
    run("rules", "--dialproof-html=report.html")
    text, page = page_of(pytester)
    assert page.texts["b"][2] == "2"
    assert text.count('<span class="tag bad">error</span>') == 1
    assert "and 1 more." in page.texts["p"]


def test_a_long_name_is_cut_in_the_drawing_alone(project: Path, run: Run, pytester: pytest.Pytester) -> None:
    """The table below names the rule as the files do."""
    name = "leads_of_the_last_seven_days_from_partners"
    for file in ("premium.rules.yaml", "premium.contacts.yaml"):
        path = project / file
        path.write_text(path.read_text(encoding="utf-8").replace("new_lead", name), encoding="utf-8")
    edit(project / "premium.rules.yaml", 'listId: warm_desk, value: "true"', 'listId: premium, value: "false"')
    run("rules", "--dialproof-html=report.html")
    _, page = page_of(pytester)
    assert page.texts["text"] == ["high_value", "leads_of_the_last_seven_day…"]
    assert name in page.texts["td"]


def test_it_stands_alone(project: Path, run: Run, pytester: pytest.Pytester) -> None:
    """No script, nothing fetched; links lead into the page or to the pages of checks; ids are unique."""
    edit(project / "premium.rules.yaml", 'listId: warm_desk, value: "true"', 'listId: premium, value: "false"')
    run("rules", "--dialproof-html=report.html")
    text, page = page_of(pytester)
    assert not {"script", "link", "img", "iframe", "object", "form"} & set(page.tags)
    assert not re.search(r"@import|url\(", text)
    inside = [link[1:] for link in page.links if link.startswith("#")]
    outside = [link for link in page.links if not link.startswith("#")]
    assert len(set(page.ids)) == len(page.ids)
    assert set(inside) <= set(page.ids)
    assert outside
    assert all(link.startswith("https://dialproof.dev/checks/") for link in outside)


def test_names_are_text(project: Path, run: Run, pytester: pytest.Pytester) -> None:
    """What somebody calls a rule or a case is no markup."""
    for file in ("premium.rules.yaml", "premium.contacts.yaml"):
        path = project / file
        path.write_text(path.read_text(encoding="utf-8").replace("new_lead", "<b>&amp;</b>"), encoding="utf-8")
    edit(project / "premium.contacts.yaml", "a new lead goes to the warm desk", "</pre><script>alert(1)</script>")
    result = run("rules", "--dialproof-html=report.html")
    result.assert_outcomes(passed=ITEMS)
    text, page = page_of(pytester)
    assert "script" not in page.tags
    assert "&lt;b&gt;&amp;amp;&lt;/b&gt;" in text
    assert "<b>&amp;</b>" in page.texts["th"]


def test_whole_lists_are_in_it(project: Path, run: Run, pytester: pytest.Pytester) -> None:
    """How many contacts of a population are dialed, beside those of the cases."""
    (project / "march.csv").write_text(
        "customFields.lifetimeValue,customFields.leadAge,phone\n" + "9000,200,+15550001\n" * 3, encoding="utf-8"
    )
    with (project / "premium.contacts.yaml").open("a", encoding="utf-8") as file:
        file.write("population:\n  - {name: March, contacts: march.csv, expect: {dial: 100 %}}\n")
    run("rules", "--dialproof-html=report.html").assert_outcomes(passed=ITEMS + 1)
    _, page = page_of(pytester)
    assert [text for text in page.texts["p"] if " dialed, " in text] == [
        "Campaign cmp_123, of the contacts of its cases: 2 dialed, 0 not dialed.",
        "Campaign cmp_123, of the population 'March': 3 dialed, 0 not dialed.",
    ]


def test_a_page_that_cannot_be_written_fails_the_run(project: Path, run: Run) -> None:
    """Somebody waits for it."""
    result = run("rules", "--dialproof-html=nowhere/report.html")
    assert result.ret == 1
    result.stdout.fnmatch_lines(["error: *report.html: the report cannot be written: *"])


def test_without_jinja_it_says_what_to_install(project: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before anything runs."""
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    result = run("rules", "--dialproof-html=report.html")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert "--dialproof-html needs jinja2: pip install 'dialproof[html]'" in result.stderr.str()

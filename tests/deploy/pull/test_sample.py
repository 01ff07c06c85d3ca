"""The masked sample: what few contacts have is not in it, and its cases hold."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dialproof.config import load_config
from dialproof.evaluate import Evaluator
from dialproof.project import load_project
from dialproof_deploy.pull.sample import SHARED, rows_of, sample_file

if TYPE_CHECKING:
    from pathlib import Path

    from dialproof.project import Project

NOW = "2026-03-07T10:00:00.000Z"
RULES = """\
campaign: c
contactList: a.contactlist.yaml
rules:
  - {name: gold, version: 1, priority: 1, executionOrder: 1, actions: [{type: doNotDial}],
     conditions: [{attribute: tier, operator: equals, value: gold}]}
  - {name: rich, version: 1, priority: 1, executionOrder: 2, actions: [{type: setList, listId: l}],
     conditions: [{attribute: balance, operator: greaterThan, value: 100, type: number}]}
  - {name: mail, version: 1, priority: 1, executionOrder: 3, actions: [{type: setList, listId: m}],
     conditions: [{attribute: mail, operator: contains, value: "@"}, {attribute: phone, operator: exists}]}
"""
COLUMNS = """\
columns:
  tier: {type: string}
  balance: {type: number}
  mail: {type: string, pii: true}
  phone: {type: string, phone: true}
  name: {type: string}
"""
values = st.text("abcXYZ019@.é \"'", min_size=1, max_size=10) | st.sampled_from(["gold", "150", "010", ""])
rows = st.lists(
    st.fixed_dictionaries(dict.fromkeys(("tier", "balance", "mail", "phone", "name"), values)), min_size=1, max_size=12
)


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """Return the project that was pulled."""
    (tmp_path / "dialproof.toml").touch()
    (tmp_path / "a.rules.yaml").write_text(RULES, encoding="utf-8")
    (tmp_path / "a.contactlist.yaml").write_text(COLUMNS, encoding="utf-8")
    return load_project(load_config(tmp_path))


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(people=rows, number=st.integers(1, 5))
def test_a_value_is_written_only_if_several_have_it(
    project: Project, tmp_path: Path, people: list[dict[str, str]], number: int
) -> None:
    """And what is written is a file whose cases hold, as many as were asked for."""
    (campaign,) = project.campaigns
    text = sample_file(campaign, project.config.semantics, people, number, rules="a.rules.yaml", now=NOW)
    (tmp_path / "a.contacts.yaml").write_text(text, encoding="utf-8", newline="\n")
    loaded = load_project(load_config(tmp_path))
    assert not [p for p in loaded.problems if getattr(p, "severity", "error") == "error"]
    (file,) = loaded.contacts_files.values()
    assert len(file.cases) == min(number, len(people))
    evaluator = Evaluator(loaded.campaigns[0], loaded.config.semantics)
    for case in file.cases:
        contact: dict[str, Any] = dict(case.contact)
        assert contact.keys() <= {"tier", "balance", "mail", "phone"}
        for name in ("tier", "balance"):
            shared = Counter(person[name] for person in people)[str(contact.get(name, ""))] >= SHARED
            assert name not in contact or shared or str(contact[name]).startswith("masked ")
        assert str(contact.get("mail", "masked ")).startswith("masked ")
        assert str(contact.get("phone", "+1555")).startswith("+1555")
        outcome = evaluator.run(contact, now=file.now)
        assert (list(outcome.matched), outcome.dial) == (list(case.expect.matched or ()), case.expect.dial)


def test_contacts_with_another_outcome_come_first(project: Project) -> None:
    """Three hundred plain contacts do not hide the few for which a rule acts."""
    people = [{"tier": "silver", "balance": "1"}] * 300 + [{"tier": "gold", "balance": "150"}] * 3
    (campaign,) = project.campaigns
    text = sample_file(campaign, project.config.semantics, people, 2, rules="a.rules.yaml", now=NOW)
    assert "matched: [gold, rich]" in text


def test_a_row_that_was_cut_off_is_left_out() -> None:
    """Only the beginning of an export is read: its last row may be a part of one."""
    from dialproof_deploy.pull.sample import MOST_BYTES

    head = b'\xef\xbb\xbf"id","a"\r\n'
    row = b'"1","x"\r\n'
    data = (head + row * (MOST_BYTES // len(row) + 1))[:MOST_BYTES]
    found = rows_of(data)
    assert {tuple(r.items()) for r in found} == {(("id", "1"), ("a", "x"))}
    assert rows_of(head + b'"1","x') == [{"id": "1", "a": "x"}]

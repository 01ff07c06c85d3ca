"""A project: files found by their names, linked to each other, everything wrong reported with its place."""

from __future__ import annotations

from pathlib import Path

import pytest

from dialproof.config import load_config
from dialproof.errors import UsageError
from dialproof.project import Project, load_project

COLUMNS = "columns: {a: {type: number}}\n"


def rules(*names: str, head: str = "") -> str:
    """Return a rules file with these rules."""
    lines = [
        f"  - {{name: {name}, version: 1, priority: 1, executionOrder: {order}, "
        "conditions: [{attribute: a, operator: equals, value: 1}], actions: [{type: doNotDial}]}\n"
        for order, name in enumerate(names, 1)
    ]
    return f"{head}rules:\n{''.join(lines)}"


def cases(head: str = "", expect: str = "{matched: [r]}") -> str:
    """Return a contacts file with one case."""
    return f"{head}cases:\n  - {{name: c, contact: {{a: 1}}, expect: {expect}}}\n"


def load(root: Path, files: dict[str, str], paths: list[Path] | None = None) -> Project:
    """Write files below a root and load the project."""
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    return load_project(load_config(root), paths)


def found(project: Project) -> list[str]:
    """Return the problems as text."""
    return [str(problem) for problem in project.problems]


def test_a_project_is_linked(tmp_path: Path) -> None:
    """Rules find their contact list, contacts their campaign, and every file its digest."""
    project = load(
        tmp_path,
        {
            "rules/p.rules.yaml": rules("r", head="campaigns: [one, two]\ncontactList: ../c.contactlist.yaml\n"),
            "rules/p.contacts.yaml": cases(),
            "other/x.contacts.yaml": cases("rules: ../rules/p.rules.yaml\n"),
            "other/y.contacts.yaml": cases("campaign: two\n"),
            "data/export.contacts.csv": "a;b\n1;2\n",
            "c.contactlist.yaml": COLUMNS,
        },
    )
    assert found(project) == []
    [campaign] = project.campaigns
    assert (campaign.ids, campaign.contact_list.path, campaign.contact_list.declared) == (
        ("one", "two"),
        "c.contactlist.yaml",
        True,
    )
    assert project.campaign("two") is campaign
    assert project.links == dict.fromkeys(
        ["other/x.contacts.yaml", "other/y.contacts.yaml", "rules/p.contacts.yaml"], campaign
    )
    assert list(project.digests) == sorted(project.digests)
    assert len(project.digests) == 6


def test_folders_that_are_not_ours_are_skipped(tmp_path: Path) -> None:
    """Hidden folders, environments, builds and caches are not searched."""
    skipped = (".git", ".venv", "node_modules", "build", "dist", ".dialproof", "__pycache__")
    files = {f"{folder}/p.rules.yaml": "broken: [" for folder in skipped}
    files |= {"env/pyvenv.cfg": "", "env/p.rules.yaml": "broken: [", "good/p.rules.yml": rules("r")}
    project = load(tmp_path, files)
    assert list(project.rules_files) == ["good/p.rules.yml"]
    assert found(project) == []


def test_excluded_files_are_no_part_of_the_project(tmp_path: Path) -> None:
    """Files that the configuration excludes are not read: found, named, misnamed or referred to."""
    files = dict.fromkeys(["monitoring/a.rules.yaml", "monitoring/deep/b.rules.yaml", "old.rules.yaml"], "groups: []\n")
    files |= {
        "dialproof.toml": 'exclude = ["monitoring/**", "old.*", "**/draft", "other/*.yaml"]\n',
        "good/draft/c.rules.yaml": "groups: []\n",
        "draft/more.yaml": rules("r", head="campaign: c\n"),
        "other/x.contactlist.yaml": COLUMNS,
        "other/deep/y.contactlist.yaml": COLUMNS,
        "p.rules.yaml": rules("r", head="contactList: other/x.contactlist.yaml\n"),
    }
    project = load(tmp_path, files, [tmp_path / "old.rules.yaml", tmp_path / "draft/more.yaml"])
    assert list(project.digests) == ["other/deep/y.contactlist.yaml", "p.rules.yaml"]
    assert [line.partition(": DP102 ")[2].partition(";")[0] for line in found(project)] == [
        "there is no contact list file 'other/x.contactlist.yaml'"
    ]


def test_a_folder_that_cannot_be_searched_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What may lie in it cannot be known, so it is not passed over; excluding it says that nothing does."""
    is_file = Path.is_file

    def refused(path: Path) -> bool:
        if path.parent.name == "closed":
            raise PermissionError(13, "Permission denied")
        return is_file(path)

    monkeypatch.setattr(Path, "is_file", refused)
    files = {"closed/p.rules.yaml": rules("r"), "p.rules.yaml": rules("r")}
    with pytest.raises(UsageError, match="closed: cannot be searched: Permission denied; exclude it"):
        load(tmp_path, files)
    assert list(load(tmp_path, {"dialproof.toml": 'exclude = ["closed"]'}).rules_files) == ["p.rules.yaml"]


def test_a_file_without_a_kind_in_its_name_is_reported(tmp_path: Path) -> None:
    """Rules or cases beside other files of ours, but in a file that nobody would read, are an error."""
    project = load(
        tmp_path,
        {
            "p.rules.yaml": rules("r"),
            "more.yaml": rules("s", head="campaign: c\n"),
            "tests.yml": cases(),
            "compose.yaml": "services: {}\n",
            "elsewhere/more.yaml": rules("s", head="campaign: c\n"),
        },
    )
    assert found(project) == [
        "more.yaml:2:1: DP101 this is a rules file by its keys: rename it to more.rules.yaml",
        "tests.yml:1:1: DP101 this is a contacts file by its keys: rename it to tests.contacts.yml",
    ]


def test_links_that_lead_nowhere_are_reported_at_their_place(tmp_path: Path) -> None:
    """A missing contact list, rules file, campaign or rule is an error with the nearest name that there is."""
    project = load(
        tmp_path,
        {
            "p.rules.yaml": rules("routing", head="campaign: spring\ncontactList: custmers.contactlist.yaml\n"),
            "customers.contactlist.yaml": COLUMNS,
            "a.contacts.yaml": cases("rules: q.rules.yaml\n"),
            "b.contacts.yaml": cases("campaign: sprong\n"),
            "c.contacts.yaml": cases(expect="{matched: [routing, ruoting], not_matched: [x], undecided: [z]}"),
            "d.contacts.csv": "a,expect.matched\n1,routing|routng\n",
        },
    )
    assert found(project) == [
        "a.contacts.yaml:1:8: DP102 there is no rules file 'q.rules.yaml'; did you mean p.rules.yaml?",
        "b.contacts.yaml:1:11: DP102 there is no campaign 'sprong'; did you mean spring?",
        "c.contacts.yaml:2:60: DP605 case 'c': there is no rule 'ruoting'; did you mean routing?",
        "c.contacts.yaml:2:84: DP605 case 'c': there is no rule 'x'; expected one of routing",
        "c.contacts.yaml:2:100: DP605 case 'c': there is no rule 'z'; expected one of routing",
        "d.contacts.csv:2:11: DP605 case 'row 1': there is no rule 'routng'; did you mean routing?",
        (
            "p.rules.yaml:2:14: DP102 there is no contact list file 'custmers.contactlist.yaml'; "
            "did you mean customers.contactlist.yaml?"
        ),
    ]


def test_contacts_in_a_folder_with_several_rules_files_say_which(tmp_path: Path) -> None:
    """Without rules or campaign the folder must hold exactly one rules file."""
    project = load(
        tmp_path,
        {
            "p.rules.yaml": rules("r", head="campaign: one\n"),
            "q.rules.yaml": rules("r", head="campaign: two\n"),
            "c.contacts.yaml": cases(),
            "d.contacts.csv": "a,expect.dial\n1,true\n",
        },
    )
    assert [line.partition("DP102 ")[2] for line in found(project)] == [
        "expected one rules file in this folder, found 2: say which with rules: FILE or campaign: ID",
        "expected one rules file in this folder, found 2: keep this file in the folder of the rules that it tests",
    ]


def test_a_broken_file_causes_no_further_errors(tmp_path: Path) -> None:
    """What points at a file with errors of its own is not reported as leading nowhere."""
    project = load(
        tmp_path,
        {
            "p.rules.yaml": "rules: [\n",
            "c.contactlist.yaml": "columns: {a: {type: text}}\n",
            "q/q.rules.yaml": rules("r", head="campaign: q\ncontactList: ../c.contactlist.yaml\n"),
            "a.contacts.yaml": cases(),
            "b.contacts.yaml": cases("rules: p.rules.yaml\n"),
            "d.contacts.yaml": cases("campaign: somewhere\n"),
        },
    )
    assert [line.split(": ")[0] for line in found(project)] == ["c.contactlist.yaml:1:21", "p.rules.yaml:2:1"]
    assert list(project.rules_files) == ["q/q.rules.yaml"]
    assert list(project.links) == []


def test_files_that_share_a_campaign_need_an_order(tmp_path: Path) -> None:
    """Two files of one campaign are an error until the configuration lists them; then they run as one sequence."""
    files = {
        "b.rules.yaml": rules("b1", "b2", head="campaign: c\n"),
        "a.rules.yaml": rules("a1", "a2", head="campaigns: [d, c]\n"),
    }
    project = load(tmp_path, files)
    [problem] = found(project)
    assert problem.startswith("b.rules.yaml:1:11: DP102 campaign 'c' is also that of a.rules.yaml: list both")
    project = load(tmp_path, {"dialproof.toml": '[campaigns.c]\nrules = ["b.rules.yaml", "a.rules.yaml"]\n'})
    assert found(project) == []
    assert {c.ids: [r.name for r in c.rules] for c in project.campaigns} == {
        ("d",): ["a1", "a2"],
        ("c",): ["b1", "a1", "b2", "a2"],
    }


def test_ties_are_broken_as_configured(tmp_path: Path) -> None:
    """Equal execution orders keep document order, or go by name where tieBreak says so."""
    text = rules("z").rstrip() + "\n" + rules("a").partition("\n")[2]
    project = load(tmp_path, {"p.rules.yaml": text})
    assert [r.name for r in project.campaigns[0].rules] == ["z", "a"]
    project = load(tmp_path, {"dialproof.toml": '[semantics]\ntieBreak = "name"\n'})
    assert [r.name for r in project.campaigns[0].rules] == ["a", "z"]


def test_a_listed_campaign_names_all_of_its_files(tmp_path: Path) -> None:
    """A file that names a campaign but is missing from its list is an error, a listed file that is missing too."""
    files = {
        "a.rules.yaml": rules("a1", head="campaign: c\n"),
        "b.rules.yaml": rules("b1", head="campaign: c\n"),
        "dialproof.toml": '[campaigns.c]\nrules = ["a.rules.yaml"]\n',
    }
    [problem] = found(load(tmp_path, files))
    assert problem.startswith("b.rules.yaml:1:11: DP102 campaign 'c' is listed in dialproof.toml without this file")
    with pytest.raises(UsageError, match=r"dialproof.toml: campaigns.c.rules: there is no rules file 'x.rules.yaml'"):
        load(tmp_path, {"dialproof.toml": '[campaigns.c]\nrules = ["a.rules.yaml", "x.rules.yaml"]\n'})


def test_a_rules_file_without_campaign_is_named_by_its_rule_set(tmp_path: Path) -> None:
    """The campaign of such a file is its rule set's name, by default the file's."""
    project = load(tmp_path, {"p.rules.yaml": rules("r"), "q.rules.yaml": rules("r", head="ruleSet: Premium\n")})
    assert [c.id for c in project.campaigns] == ["p", "Premium"]


def test_without_a_contact_list_columns_are_inferred(tmp_path: Path) -> None:
    """Columns come from conditions, CEL and actions, typed by their use; used under two types, a column is text."""
    text = """\
rules:
  - name: r
    version: 1
    priority: 1
    executionOrder: 1
    conditions:
      - {attribute: n, operator: equals, value: 1}
      - {attribute: d, operator: before, value: P1DT0H0M, type: period}
      - {attribute: b, operator: equals, value: true}
      - {attribute: mixed, operator: equals, value: 1}
      - {attribute: mixed, operator: equals, value: x}
      - {attribute: free, operator: exists}
      - {context: phone.type, operator: exists}
    actions:
      - {type: setAttribute, attribute: count, option: INCREMENT}
  - name: s
    version: 1
    priority: 1
    executionOrder: 2
    when: contact.score > 5 && contact["emp.rate"] in ["a"] && contact.flag
    actions: [{type: doNotDial}]
invariants:
  - {name: i, always: 'contact.consent == "yes"'}
"""
    [campaign] = load(tmp_path, {"p.rules.yaml": text}).campaigns
    assert not campaign.contact_list.declared
    assert {name: column.type for name, column in campaign.contact_list.columns.items()} == {
        "n": "number",
        "d": "datetime",
        "b": "boolean",
        "mixed": "string",
        "free": "string",
        "count": "number",
        "score": "number",
        "emp.rate": "string",
        "flag": "boolean",
        "consent": "string",
    }


def test_named_files_outside_of_the_root_are_added(tmp_path: Path) -> None:
    """A file named on the command line is read wherever it is; its path is relative to the root."""
    outside = tmp_path / "outside.rules.yaml"
    outside.write_text(rules("r"), "utf-8")
    root = tmp_path / "root"
    project = load(root, {"p.rules.yaml": rules("r")}, [outside, root / "p.rules.yaml"])
    assert list(project.rules_files) == ["../outside.rules.yaml", "p.rules.yaml"]


def test_named_paths_that_cannot_be_used(tmp_path: Path) -> None:
    """A path that does not exist is a usage error; a file of no kind says how it must be named."""
    with pytest.raises(UsageError, match="there is no such file or folder"):
        load(tmp_path, {}, [tmp_path / "gone.rules.yaml"])
    project = load(
        tmp_path,
        {"notes.txt": "x", "r.yaml": rules("r", head="campaign: c\n")},
        [tmp_path / "notes.txt", tmp_path / "r.yaml"],
    )
    assert found(project) == [
        (
            "notes.txt:1:1: DP101 expected a name that ends in .rules.yaml, .contacts.yaml, .contacts.csv or "
            ".contactlist.yaml"
        ),
        "r.yaml:2:1: DP101 this is a rules file by its keys: rename it to r.rules.yaml",
    ]


def test_a_campaign_has_one_contact_list_and_one_hit_policy(tmp_path: Path) -> None:
    """Files that run as one sequence may not disagree."""
    project = load(
        tmp_path,
        {
            "a.rules.yaml": rules("a", head="campaign: c\ncontactList: x.contactlist.yaml\n"),
            "b.rules.yaml": rules("b", head="campaign: c\ncontactList: y.contactlist.yaml\nhitPolicy: first\n"),
            "x.contactlist.yaml": COLUMNS,
            "y.contactlist.yaml": COLUMNS,
            "dialproof.toml": '[campaigns.c]\nrules = ["a.rules.yaml", "b.rules.yaml"]\n',
        },
    )
    assert found(project) == [
        "b.rules.yaml:1:11: DP102 hitPolicy first differs from all of a.rules.yaml: one a campaign",
        "b.rules.yaml:2:14: DP102 a campaign has one contact list; a.rules.yaml names x.contactlist.yaml",
    ]


def test_notes_are_problems_of_severity_info(tmp_path: Path) -> None:
    """Hints stand among the problems with their own severity, and the file is read."""
    project = load(tmp_path, {"p.rules.yaml": rules("r"), "p.contacts.yaml": cases().replace("a: 1", "a: yes")})
    assert [getattr(p, "severity", "error") for p in project.problems] == ["info"]
    assert list(project.contacts_files) == ["p.contacts.yaml"]


def test_a_folder_with_the_name_of_a_rules_file_is_reported(tmp_path: Path) -> None:
    """A folder where a file was meant is an error, not a file less: the gate would open without its rules."""
    (tmp_path / "b.rules.yaml").mkdir()
    project = load(tmp_path, {"a.rules.yaml": rules("r"), "b.rules.yaml/c.rules.yaml": rules("s")})
    assert found(project) == ["b.rules.yaml:1:1: DP101 cannot be read: found a folder, expected a file"]
    assert set(project.rules_files) == {"a.rules.yaml"}


def test_a_folder_that_cannot_be_read_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder without permission is a usage error with its name: what is in it may be rules."""
    from pathlib import Path as AnyPath

    (tmp_path / "closed").mkdir()
    whole = AnyPath.is_file

    def is_file(path: AnyPath) -> bool:
        if path.parent.name == "closed":
            raise PermissionError(13, "Permission denied", str(path))
        return whole(path)

    monkeypatch.setattr(AnyPath, "is_file", is_file)
    with pytest.raises(UsageError, match="closed: cannot be searched: Permission denied; exclude it"):
        load(tmp_path, {"a.rules.yaml": rules("r")})


def test_a_configuration_below_that_cannot_be_read_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whether a folder is a project of its own is not guessed."""
    from pathlib import Path as AnyPath

    def read_bytes(path: AnyPath) -> bytes:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(AnyPath, "read_bytes", read_bytes)
    (tmp_path / "below").mkdir()
    (tmp_path / "below" / "pyproject.toml").touch()
    with pytest.raises(UsageError, match=r"pyproject\.toml: cannot be read: Permission denied"):
        load(tmp_path, {"a.rules.yaml": rules("r")})


def test_a_flood_of_unknown_rules_in_cases_is_counted(tmp_path: Path) -> None:
    """Cases that name thousands of rules that there are not give a hundred problems, with hints for some."""
    lines = "".join(f"  - {{name: c{i}, contact: {{}}, expect: {{matched: [r{i}x]}}}}\n" for i in range(300))
    files = {f"{name}.contacts.yaml": f"rules: a.rules.yaml\ncases:\n{lines}" for name in ("a", "b")}
    project = load(tmp_path, {"a.rules.yaml": rules("r1", "r2"), **files})
    assert len(found(project)) == 202
    assert found(project)[1] == "a.contacts.yaml:4:48: DP605 case 'c1': there is no rule 'r1x'; did you mean r1?"
    assert found(project)[100].endswith("DP605 and 200 more in this file")


def test_columns_inside_of_macros_are_inferred(tmp_path: Path) -> None:
    """A comprehension names columns as any condition does, and compares them with the items of its list."""
    when = "[1, 2].exists(k, contact.y > k) && contact[contact.z] == 'a'"
    text = rules("r").replace("conditions: [{attribute: a, operator: equals, value: 1}]", f'when: "{when}"')
    project = load(tmp_path, {"a.rules.yaml": text})
    columns = project.campaigns[0].contact_list.columns
    assert {name: column.type for name, column in columns.items()} == {"y": "number", "z": "string"}


@pytest.mark.parametrize(("zone", "noted"), [("", True), ("timeZone: America/Denver\n", False)])
def test_a_time_of_nobody_knows_where_is_noted(tmp_path: Path, zone: str, noted: bool) -> None:
    """A datetime column without an offset, in a file without a time zone, is a hint at the first case that has one."""
    text = (
        f"{zone}cases:\n"
        "  - {name: one, contact: {d: '2026-03-07T01:00:00Z'}, expect: {dial: true}}\n"
        "  - {name: two, contact: {d: '2026-03-07T01:00'}, expect: {dial: true}}\n"
    )
    files = {
        "p.rules.yaml": rules("r").replace("rules:", "contactList: c.contactlist.yaml\nrules:"),
        "c.contactlist.yaml": "columns: {a: {type: string}, d: {type: datetime}}\n",
        "p.contacts.yaml": text,
    }
    problems = [str(p) for p in load(tmp_path, files).problems]
    expected = "p.contacts.yaml:3:5: DP102 d has a time with neither an offset nor a timeZone: it is read as UTC"
    assert problems == ([expected] if noted else [])


def test_steps_and_statements_of_timelines_name_what_there_is(tmp_path: Path) -> None:
    """As cases do; a contact may begin on a list that no rule knows."""
    timeline = """\
cases:
  - name: c
    lists: {vip: true}
    timeline:
      - {at: 2026-03-02T10:00:00Z, attempt: {}, expect: {matched: [x]}}
    expect: {always: '"vip" in outcome.lists || "y" in outcome.matched'}
"""
    project = load(tmp_path, {"p.rules.yaml": rules("r"), "p.contacts.yaml": timeline})
    step, always = timeline.splitlines()[4:6]
    assert found(project) == [
        f"p.contacts.yaml:5:{step.index('[x]') + 2}: DP605 case 'c': there is no rule 'x'; expected one of r",
        f"p.contacts.yaml:6:{always.index('|| ') + 4}: DP102 there is no rule 'y'; expected one of r",
    ]

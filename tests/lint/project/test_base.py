"""The project at a revision: what is read, against which commit, and what is said where it cannot be."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from dialproof.base import base_of
from dialproof.config import load_config
from dialproof.errors import UsageError
from dialproof.lint import lint
from dialproof.project import load_project
from tests.lint.git import LIST, Git, rules

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from dialproof.findings import Finding

START = {"dialproof.toml": "", "c.contactlist.yaml": LIST, "c.rules.yaml": rules("a", "b")}


@pytest.fixture
def git(tmp_path: Path) -> Git:
    """Return a repository with one commit."""
    repository = Git(tmp_path / "repository")
    repository.commit(START)
    return repository


def _names(folder: Path, revision: str) -> Mapping[str, list[str]]:
    """Return the rules of each campaign at the base, by the campaign's id."""
    with base_of(replace(load_config(folder), base=revision)) as base:
        assert base.unread == ""
        return {c.id: [rule.name for rule in c.rules] for c in base.project.campaigns}


def _lint(folder: Path, revision: str) -> tuple[list[Finding], tuple[str, ...]]:
    result = lint(load_project(replace(load_config(folder), base=revision)))
    return [f for f in result.findings if f.code.startswith("DP8") or f.code == "DP901"], result.notes


def test_the_base_is_where_a_revision_and_head_part(git: Git) -> None:
    """What others have put on the branch since is no part of the change; what is not committed is."""
    git("checkout", "--quiet", "-b", "work")
    git.commit({"c.rules.yaml": rules("a")})
    git("checkout", "--quiet", "main")
    git.commit({"c.rules.yaml": rules("a", "b", "of_others")})
    git("checkout", "--quiet", "work")
    git.write({"c.rules.yaml": rules("a", value="yes")})
    assert _names(git.folder, "main") == {"c": ["a", "b"]}
    findings, notes = _lint(git.folder, "main")
    assert [(f.code, f.rules) for f in findings] == [("DP801", ("b",)), ("DP801", ("a",)), ("DP803", ("a",))]
    assert any(git("merge-base", "main", "work")[:12] in note for note in notes)


def test_nothing_is_written_into_the_work_tree(git: Git) -> None:
    """Neither the index nor a file of the work tree changes, and no folder is left behind."""
    git.write({"c.rules.yaml": rules("a")})
    before = git("status", "--porcelain"), (git.folder / ".git" / "index").read_bytes()
    assert _names(git.folder, "HEAD") == {"c": ["a", "b"]}
    assert (git("status", "--porcelain"), (git.folder / ".git" / "index").read_bytes()) == before


def test_a_project_in_a_folder_of_the_repository(git: Git) -> None:
    """Only what lies below the configuration root counts; a contact list may lie beside it."""
    own = rules("x", campaign="d").replace("c.contactlist.yaml", "../c.contactlist.yaml")
    git.commit({"sub/dialproof.toml": "", "sub/d.rules.yaml": own})
    git.write({"sub/d.rules.yaml": own.replace("x", "y")})
    assert _names(git.folder / "sub", "HEAD") == {"d": ["x"]}
    findings, _ = _lint(git.folder / "sub", "HEAD")
    assert [f.code for f in findings] == []
    git.write({"sub/d.rules.yaml": own.replace("'no'", "'yes'").replace("version: 1", "version: 2")})
    (finding,), _ = _lint(git.folder / "sub", "HEAD")
    assert (finding.code, finding.path, finding.details) == ("DP801", "d.rules.yaml", '"x" at HEAD: d.rules.yaml:4')


def test_the_configuration_is_that_of_the_base(git: Git) -> None:
    """Old rules run under the semantics and sequences of then; which checks run is said now."""
    two = {
        "dialproof.toml": "semantics.doNotDialStops = true\ncampaigns.c.rules = ['c.rules.yaml', 'd.rules.yaml']\n",
        "d.rules.yaml": rules("z").replace("executionOrder: 1", "executionOrder: 9"),
    }
    git.commit(two)
    git.write({"dialproof.toml": "select = ['DP803']\n"})
    with base_of(replace(load_config(git.folder), base="HEAD")) as base:
        assert [rule.name for rule in base.project.campaigns[0].rules] == ["a", "b", "z"]
        config = base.project.config
        assert (config.semantics.doNotDialStops, config.select, config.base) == (True, ("DP803",), "")


def test_a_configuration_that_was_elsewhere(git: Git) -> None:
    """A project whose root has moved down is compared with what it was above, with paths as they are seen now."""
    git("rm", "--quiet", "-r", ".")
    git.commit(
        {"pyproject.toml": "[tool.dialproof]\n", "rules/c.contactlist.yaml": LIST, "rules/c.rules.yaml": rules("a")}
    )
    (git.folder / "pyproject.toml").unlink()
    git.write({"rules/dialproof.toml": "", "rules/c.rules.yaml": rules("a", value="yes")})
    findings, _ = _lint(git.folder / "rules", "HEAD")
    assert [(f.code, f.details) for f in findings] == [
        ("DP801", '"a" at HEAD: c.rules.yaml:4'),
        ("DP803", '"a" at HEAD: c.rules.yaml:4'),
    ]


def test_a_file_that_was_renamed(git: Git) -> None:
    """A campaign is found by its id, whatever its file is called."""
    git("mv", "c.rules.yaml", "other.rules.yaml")
    git.write({"other.rules.yaml": rules("a", "b", value="yes", version=2)})
    findings, _ = _lint(git.folder, "HEAD")
    assert [(f.code, f.path, f.rules) for f in findings] == [
        ("DP801", "other.rules.yaml", ("a",)),
        ("DP801", "other.rules.yaml", ("b",)),
    ]


def test_ends_of_lines_are_no_change(git: Git) -> None:
    """A work tree with CRLF has the rules of the repository."""
    git.write({name: text.replace("\n", "\r\n") for name, text in START.items()})
    assert _lint(git.folder, "HEAD")[0] == []


def test_names_that_are_not_ascii(git: Git) -> None:
    """Paths are taken as they are, spaces, quotes and umlauts included."""
    odd = 'Überraschung "neu"/größe – a.rules.yaml'
    git.commit({odd: rules("ä", campaign="ö").replace("c.contactlist", "../c.contactlist")})
    git.write({odd: rules("é", campaign="ö").replace("c.contactlist", "../c.contactlist")})
    assert _names(git.folder, "HEAD") == {"c": ["a", "b"], "ö": ["ä"]}


def test_links_inside_of_the_repository(git: Git) -> None:
    """A link to a file counts as the file; a contact list may be named through a link to its folder."""
    git("mv", "c.contactlist.yaml", "lists-are-here.contactlist.yaml")
    git.commit({"shared/e.rules.yaml.txt": rules("linked", campaign="e"), "shared/c.contactlist.yaml": LIST})
    (git.folder / "e.rules.yaml").symlink_to("shared/e.rules.yaml.txt")
    (git.folder / "alias").symlink_to("shared", target_is_directory=True)
    git.commit({
        "c.rules.yaml": rules("a").replace("c.contactlist", "alias/c.contactlist"),
        "shared/e.rules.yaml.txt": rules("linked", campaign="e").replace("c.contactlist", "shared/c.contactlist"),
    })  # fmt: skip
    git.write({"shared/e.rules.yaml.txt": "nothing\n"})
    assert _names(git.folder, "HEAD") == {"c": ["a"], "e": ["linked"]}
    with base_of(replace(load_config(git.folder), base="HEAD")) as base:
        assert [c.contact_list.declared for c in base.project.campaigns] == [True, True]
        assert base.project.problems == ()


@pytest.mark.parametrize("target", ["/etc/hostname", "../../outside.yaml", "loop.rules.yaml"])
def test_a_link_that_leads_nowhere_is_said(git: Git, target: str) -> None:
    """Nothing outside of the repository is read; a campaign that may have been there is left open."""
    (git.folder.parent / "outside.yaml").write_text(rules("outside", campaign="new"))
    (git.folder / "loop.rules.yaml").symlink_to(target)
    git.commit()
    (git.folder / "loop.rules.yaml").unlink()
    git.write({"new.rules.yaml": rules("n", campaign="new")})
    findings, notes = _lint(git.folder, "HEAD")
    assert "loop.rules.yaml leads to no file of the repository at HEAD" in notes
    assert {(f.code, f.rules) for f in findings} == {("DP901", ("n",))}


def test_a_submodule(git: Git, tmp_path: Path) -> None:
    """Rules of a submodule are those of the commit that the base names; where it is missing that is said."""
    inner = Git(tmp_path / "inner")
    first = inner.commit({"c.contactlist.yaml": LIST, "m.rules.yaml": rules("inner", campaign="m")})
    git("submodule", "--quiet", "add", str(inner.folder), "sub")
    git.commit()
    git.write({"sub/m.rules.yaml": rules("inner", campaign="m", value="yes", version=2)})
    assert _names(git.folder, "HEAD") == {"c": ["a", "b"], "m": ["inner"]}
    (finding,), _ = _lint(git.folder, "HEAD")
    assert (finding.code, finding.path) == ("DP801", "sub/m.rules.yaml")
    lost = git("rev-parse", "HEAD").replace(first[0], "0")  # some commit that the submodule does not have
    git("update-index", "--cacheinfo", f"160000,{lost},sub")
    git("commit", "--quiet", "-m", "a submodule that nobody has")
    findings, notes = _lint(git.folder, "HEAD")
    assert "this clone does not hold the submodule sub at HEAD" in notes
    assert {(f.code, f.rules) for f in findings} == {("DP901", ("inner",))}


def test_a_base_with_errors_is_left_open(git: Git) -> None:
    """What cannot be compared is DP901 for each check, with the place of the error; other campaigns are compared."""
    git.commit({"d.rules.yaml": "campaign: d\nrules: [{nmae: x}]\n"})
    git.write({"d.rules.yaml": rules("x", campaign="d"), "c.rules.yaml": rules("a", value="yes")})
    findings, _ = _lint(git.folder, "HEAD")
    assert [(f.code, f.rules) for f in findings if f.path == "c.rules.yaml"] == [
        ("DP801", ("b",)),
        ("DP801", ("a",)),
        ("DP803", ("a",)),
    ]
    left = [f for f in findings if f.path == "d.rules.yaml"]
    assert [f.code for f in left] == ["DP901"] * 3
    assert [f.summary[:5] for f in left] == ["DP801", "DP802", "DP803"]
    assert all("d.rules.yaml:2:" in f.summary and "at HEAD" in f.summary for f in left)


def test_a_contact_list_that_was_missing_is_left_open(git: Git) -> None:
    """Rules whose columns were not known say nothing about who was dialed."""
    git("rm", "--quiet", "--cached", "c.contactlist.yaml")
    git("commit", "--quiet", "-m", "without the list")
    findings, _ = _lint(git.folder, "HEAD")
    assert {f.code for f in findings} == {"DP901"}


def test_a_rule_without_a_meaning_is_left_open(git: Git) -> None:
    """A condition that does not compile refused everybody, which nobody had meant."""
    git.commit({"c.rules.yaml": rules("a").replace("operator: equals, value: 'no'", "operator: matches, value: '('")})
    git.write(START)
    findings, _ = _lint(git.folder, "HEAD")
    left = [f for f in findings if f.code == "DP901"]
    assert [f.summary[:5] for f in left] == ["DP801", "DP802"]
    assert all('rule "a" as it was has a condition that has no meaning' in f.summary for f in left)


def test_a_configuration_of_the_base_with_errors_is_left_open(git: Git) -> None:
    """It cannot be corrected any more, so it is no reason to end; nothing is claimed either."""
    git.commit({"dialproof.toml": "unknown = 1\n"})
    git.write({"dialproof.toml": ""})
    findings, _ = _lint(git.folder, "HEAD")
    assert [f.code for f in findings] == ["DP901"] * 3
    assert all("the configuration of HEAD cannot be used (dialproof.toml:1:1: unknown: " in f.summary for f in findings)


def test_campaigns_that_come_and_go_are_said(git: Git) -> None:
    """Nothing can be compared with nothing."""
    git.write({"c.rules.yaml": rules("a", campaign="other")})
    findings, notes = _lint(git.folder, "HEAD")
    assert findings == []
    assert "campaign other is not there at HEAD: there is nothing to compare it with" in notes
    assert "campaign c of HEAD is gone: nothing is said of its rules" in notes


def test_a_project_that_is_new(git: Git) -> None:
    """A folder that is not there at the base holds nothing then."""
    git.write({"later/dialproof.toml": "", "later/x.rules.yaml": rules("x", campaign="x").replace("c.con", "../c.con")})
    findings, notes = _lint(git.folder / "later", "HEAD")
    assert findings == []
    assert "campaign x is not there at HEAD: there is nothing to compare it with" in notes
    assert not any("is gone" in note for note in notes)  # of the project above nothing is


def test_inside_of_a_hook_of_git(git: Git, monkeypatch: pytest.MonkeyPatch) -> None:
    """What git sets for a hook names the folder of the hook, not of the project."""
    git.commit({"sub/dialproof.toml": "", "sub/c.contactlist.yaml": LIST, "sub/d.rules.yaml": rules("x", campaign="d")})
    monkeypatch.setenv("GIT_DIR", ".git")
    monkeypatch.setenv("GIT_INDEX_FILE", ".git/index")
    assert _names(git.folder / "sub", "HEAD") == {"d": ["x"]}


@pytest.mark.parametrize(
    ("revision", "sentence"),
    [
        ("nope", "there is no revision 'nope' in this repository"),
        ("HEAD:c.rules.yaml", "there is no revision 'HEAD:c.rules.yaml' in this repository"),
        ("--output=x", "there is no revision '--output=x' in this repository"),
        ("alone", "'alone' and HEAD have no commit in common"),
    ],
)
def test_a_revision_that_cannot_be_the_base(git: Git, revision: str, sentence: str) -> None:
    """One sentence says what is wrong with it."""
    git("checkout", "--quiet", "--orphan", "alone")
    git.commit({"another.txt": "history"})
    git("checkout", "--quiet", "main")
    with pytest.raises(UsageError) as raised:
        _names(git.folder, revision)
    assert str(raised.value) == sentence


@pytest.mark.parametrize("revision", ["origin/main~2", "origin/main~1", "HEAD~1"])
def test_a_shallow_clone_says_how_to_get_the_rest(git: Git, tmp_path: Path, revision: str) -> None:
    """What CI systems fetch by default does not reach back far enough."""
    git.commit({"c.rules.yaml": rules("a")})
    git("clone", "--quiet", "--depth=1", f"file://{git.folder}", str(tmp_path / "shallow"))
    with pytest.raises(UsageError, match="fetch-depth: 0"):
        _names(tmp_path / "shallow", revision)


def test_a_folder_in_no_repository(tmp_path: Path) -> None:
    """The configuration root must lie in a repository."""
    (tmp_path / "dialproof.toml").write_text("")
    with pytest.raises(
        UsageError, match="what has changed since 'main' cannot be told: the configuration root is in no"
    ):
        _names(tmp_path, "main")


def test_a_configuration_above_the_repository(git: Git) -> None:
    """A root that holds a repository is in none."""
    (git.folder / "dialproof.toml").unlink()
    (git.folder.parent / "dialproof.toml").write_text("")
    with pytest.raises(UsageError, match="the configuration root is in no git repository"):
        _names(git.folder, "main")


def test_a_repository_without_commits(tmp_path: Path) -> None:
    """Nothing can have changed since nothing."""
    Git(tmp_path).write({"dialproof.toml": ""})
    with pytest.raises(UsageError, match="there is no revision 'main' in this repository"):
        _names(tmp_path, "main")


def test_without_git(git: Git, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is said that git is missing, and what for."""
    monkeypatch.setenv("PATH", str(git.folder))
    with pytest.raises(UsageError, match="git is not installed, and what has changed is asked of it"):
        _names(git.folder, "main")

"""The configuration: found upward, read strictly, everything wrong with it at once."""

from __future__ import annotations

import hashlib
import re
from dataclasses import fields
from datetime import date
from pathlib import Path

import pytest

from dialproof.config import Accepted, Config, Environment, Gate, Retry, Semantics, load_config
from dialproof.errors import UsageError
from dialproof.lint import selected_checks

FULL = """
select = ["DP3"]
ignore = ["DP305", "conflicting-rules"]
exclude = ["monitoring/**"]
fail-on = "warning"
[severity]
DP502 = "info"
[checks.DP301]
strict = true
[per-file-ignores]
"old/*" = ["DP1"]
[campaigns.cmp_123]
rules = ["rules/a.rules.yaml", "rules/b.rules.yaml"]
[semantics]
undecided = "unmet"
laterRulesSeeUpdates = false
doNotDialStops = true
caseSensitive = false
tieBreak = "name"
[gate]
coverage = "none"
maxConflictRate = 0.1
maxAgeHours = 1
evidenceKeys = ["ci.pub"]
accept = [
    {code = "DP301", rule = "r", reason = "agreed", until = 2026-12-31},
    {code = "DP301", rules = ["r", "s"], reason = "agreed", until = 2026-12-31},
]
[inventory]
lists = ["premium"]
[environments.staging]
target = "rulesets"
region = "us-west-2"
requires = "dev"
keep = ["theirs"]
freeze = ["Fri 15:00-Mon 08:00 America/Denver"]
ids.campaigns = {cmp_123 = "abc"}
[environments.dev]
base_url = "http://127.0.0.1:8080/"
"""


def write(folder: Path, text: str, name: str = "dialproof.toml") -> Path:
    """Write a configuration file and return its folder."""
    (folder / name).write_text(text, "utf-8")
    return folder


def errors(folder: Path, text: str) -> list[str]:
    """Return the lines of the error that a configuration gives, without the file's name."""
    with pytest.raises(UsageError) as raised:
        load_config(write(folder, text))
    prefix = (folder / "dialproof.toml").as_posix() + ":"
    lines = str(raised.value).splitlines()
    assert all(line.startswith(prefix) for line in lines)
    return [line.removeprefix(prefix) for line in lines]


_ACCEPTED = tuple(Accepted("DP301", rules, "agreed", date(2026, 12, 31)) for rules in (("r",), ("r", "s")))


def test_every_key_is_read(tmp_path: Path) -> None:
    """Every documented key arrives in the configuration."""
    assert load_config(write(tmp_path, FULL)) == Config(
        root=tmp_path.resolve(),
        file=tmp_path.resolve() / "dialproof.toml",
        digest=hashlib.sha256((tmp_path / "dialproof.toml").read_bytes()).hexdigest(),
        exclude=("monitoring/**",),
        select=("DP3",),
        ignore=("DP305", "conflicting-rules"),
        severity={"DP502": "info"},
        fail_on="warning",
        checks={"DP301": {"strict": True}},
        per_file_ignores={"old/*": ("DP1",)},
        campaigns={"cmp_123": ("rules/a.rules.yaml", "rules/b.rules.yaml")},
        semantics=Semantics("unmet", False, True, False, "name"),
        gate=Gate("none", 0.1, 1.0, _ACCEPTED, ("ci.pub",)),
        inventory={"lists": ("premium",)},
        environments={
            "sandbox": Environment("sandbox"),
            "staging": Environment(
                "staging",
                "rulesets",
                region="us-west-2",
                requires="dev",
                keep=("theirs",),
                freeze=("Fri 15:00-Mon 08:00 America/Denver",),
                ids={"campaigns": {"cmp_123": "abc"}},
            ),
            "dev": Environment("dev", base_url="http://127.0.0.1:8080/"),
        },
    )


def test_the_nearest_configuration_upward_governs(tmp_path: Path) -> None:
    """A file's configuration is the nearest one above it; a pyproject.toml without our table is none."""
    write(tmp_path, "[tool.dialproof]\nignore = ['DP1']\n", "pyproject.toml")
    below = tmp_path / "a" / "b"
    below.mkdir(parents=True)
    write(tmp_path / "a", "[tool.other]\n", "pyproject.toml")
    file = below / "x.rules.yaml"
    file.touch()
    config = load_config(file)
    assert (config.root, config.ignore) == (tmp_path.resolve(), ("DP1",))


def test_without_a_configuration_the_folder_is_the_root(tmp_path: Path) -> None:
    """The defaults apply, the sandbox is there, and the root is the folder that was asked for."""
    assert load_config(tmp_path) == Config(root=tmp_path.resolve(), environments={"sandbox": Environment("sandbox")})


def test_two_configurations_in_one_folder_are_refused(tmp_path: Path) -> None:
    """Nobody should have to know which of two files wins."""
    write(tmp_path, "[tool.dialproof]\n", "pyproject.toml")
    with pytest.raises(UsageError, match="keep one of them"):
        load_config(write(tmp_path, ""))


def test_everything_wrong_is_reported_at_once(tmp_path: Path) -> None:
    """Unknown keys (with the nearest known one), wrong types and wrong values come together, a line each."""
    text = """
selct = []
ignore = [5, "DP 301"]
exclude = ["/old/**", "old\\\\*", "old/**"]
fail-on = "fatal"
semantics = {undecided = "met", casesensitive = true, doNotDialStops = "yes"}
campaigns.c = {}
inventory.list = []
[gate]
maxConflictRate = 1.5
maxAgeHours = 1e12
accept = [
    {code = "DP301", rule = "", until = "soon"},
    5,
    {code = "DP301", rules = [], reason = "agreed", until = 2026-12-31},
    {code = "DP301"},
]
[environments.prod]
base_url = "http://example.com"
requires = "staging"
ids.lists = {a = 1}
[environments."1"]
"""
    assert errors(tmp_path, text) == [
        "2:1: selct: unknown key; did you mean select?",
        "3:1: ignore[0]: expected text, found 5",
        "3:1: ignore: expected a code such as DP301 or the name of a check, found 'DP 301'",
        "4:1: exclude: expected a glob such as monitoring/** (relative to this file, with /), found '/old/**'",
        "4:1: exclude: expected a glob such as monitoring/** (relative to this file, with /), found 'old\\\\*'",
        "5:1: fail-on: expected one of info, warning, error, found 'fatal'",
        "6:1: semantics.casesensitive: unknown key; did you mean caseSensitive?",
        "6:1: semantics.doNotDialStops: expected true or false, found 'yes'",
        "7:1: campaigns.c: expected rules = [...], the rules files of the campaign in the order in which they run",
        "8:1: inventory.list: unknown key; did you mean lists?",
        "10:1: gate.maxConflictRate: expected a number of 0 to 1, found 1.5",
        "11:1: gate.maxAgeHours: expected a number of 0 to 87600, found 1e+12",
        "12:1: gate.accept[0].rule: expected text, found none",
        "12:1: gate.accept[0].until: expected a date such as 2026-12-31, found 'soon'",
        "12:1: gate.accept[0]: missing reason",
        "12:1: gate.accept[1]: expected a table, found 5",
        "12:1: gate.accept[2].rules: expected names, found none",
        '12:1: gate.accept[3]: missing reason, until, rule = "..." or rules = [...], one of them',
        "19:1: environments.prod.base_url: expected an https:// address, or http:// on 127.0.0.1 or localhost",
        "21:1: environments.prod.ids.lists.a: expected text, found 1",
        "22:1: environments.1: expected a name of letters, digits, - and _ that begins with a letter",
        "20:1: environments.prod.requires: unknown environment 'staging'; expected one of 1",
    ]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"a = ", "not TOML: Invalid value"),
        (b"a = '\xff'", "expected text in UTF-8, found the byte 0xff"),
        (b"a = " + b"[" * 5000, "not TOML:"),
        (b"a = " + b"9" * 5000, "not TOML: a number has too many digits"),
    ],
)
def test_unreadable_toml_is_a_usage_error(tmp_path: Path, content: bytes, message: str) -> None:
    """A broken file is one line with its name, not a traceback."""
    (tmp_path / "dialproof.toml").write_bytes(content)
    with pytest.raises(UsageError) as raised:
        load_config(tmp_path)
    assert str(raised.value).startswith((tmp_path / "dialproof.toml").as_posix() + ": " + message)


@pytest.mark.parametrize(
    "url", ["http://evil.example", "http://127.0.0.1.evil.example", "http://localhost@evil.example", "ftp://127.0.0.1"]
)
def test_plain_http_is_for_this_machine_alone(tmp_path: Path, url: str) -> None:
    """An address that only looks like loopback is refused: credentials would travel in the clear."""
    assert len(errors(tmp_path, f"[environments.a]\nbase_url = '{url}'\n")) == 1


def test_the_configuration_of_the_docs_is_right_and_whole(tmp_path: Path) -> None:
    """What docs/configuration.md shows can be copied, names only checks there are, and shows every key."""
    page = (Path(__file__).parents[3] / "docs" / "configuration.md").read_text("utf-8")
    block = page.partition("```toml\n")[2].partition("```")[0]
    (tmp_path / "pyproject.toml").write_text(block, "utf-8")
    config = load_config(tmp_path)
    assert "DP104" not in {check.code for check in selected_checks(config)}
    names = re.findall(r"^[\[\w.\"/*-]+", block, re.MULTILINE)
    shown = {part.replace("-", "_") for name in names for part in name.strip("[").split(".")}
    keys = {field.name for kind in (Config, Semantics, Gate, Environment) for field in fields(kind)}
    assert keys - {"root", "file", "digest", "name", "only_targets", "cache_folder"} <= shown


def test_an_error_in_a_pyproject_has_its_line(tmp_path: Path) -> None:
    """Tables with a prefix, quoted keys and arrays of tables are found; several lines of a value count as its first."""
    text = """[project]
name = "x"

[tool.dialproof.per-file-ignores]
"old/*.yaml" = 5
[[tool.dialproof.gate.accept]]
code = "DP301"
rule = "r"
reason = "x"
until = 2026-12-31
[[tool.dialproof.gate.accept]]
code = 5
[tool.dialproof]
select = [
  5,
]
"""
    with pytest.raises(UsageError) as raised:
        load_config(write(tmp_path, text, "pyproject.toml"))
    prefix = (tmp_path / "pyproject.toml").as_posix()
    one = 'rule = "..." or rules = [...], one of them'
    assert str(raised.value).splitlines() == [
        f"{prefix}:5:1: tool.dialproof.per-file-ignores.old/*.yaml: expected a list, found 5",
        f"{prefix}:12:1: tool.dialproof.gate.accept[1].code: expected text, found 5",
        f"{prefix}:11:1: tool.dialproof.gate.accept[1]: missing reason, until, {one}",
        f"{prefix}:14:1: tool.dialproof.select[0]: expected text, found 5",
    ]


def test_public_keys_are_named_and_private_ones_have_no_place(tmp_path: Path) -> None:
    """An empty list asks for none; whoever pastes the wrong half of a pair is told so, without its text."""
    assert load_config(write(tmp_path, "[gate]\nevidenceKeys = ['a.pub']\n")).gate.evidenceKeys == ("a.pub",)
    assert load_config(write(tmp_path, "[gate]\nevidenceKeys = []\n")).gate.evidenceKeys == ()
    assert errors(tmp_path, "[gate]\nevidenceKeys = ['']\n") == ["2:1: gate.evidenceKeys: expected names, found none"]
    [line] = errors(tmp_path, '[gate]\nevidenceKeys = ["""-----BEGIN PRIVATE KEY-----\nabc\n"""]\n')
    assert line.startswith("2:1: gate.evidenceKeys: a private key has no place in the configuration")
    assert "abc" not in line


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        (
            '[environments.a]\n  freeze = ["Fri 15:00-Mon 08:00", "weekend"]\n',
            ["2:37: environments.a.freeze[1]: 'weekend': expected for example 'Fri 15:00-Mon 08:00 America/Denver'"],
        ),
        (
            '[environments.a]\nfreeze = [\n  "Fri 15:00-Mon 08:00",\n  "Fri 25:00-Mon 08:00 Mars/X",\n]\nregion = 5\n',
            [
                (
                    "4:4: environments.a.freeze[1]: 'Fri 25:00-Mon 08:00 Mars/X': expected for example "
                    "'Fri 15:00-Mon 08:00 America/Denver'"
                ),
                "6:1: environments.a.region: expected text, found 5",
            ],
        ),
        (
            "environments.a.freeze = ['Mon 00:00-Mon 00:00']\n",
            [
                (
                    "1:27: environments.a.freeze[0]: 'Mon 00:00-Mon 00:00': it ends when it starts: write two windows "
                    "that make up the week, or none"
                )
            ],
        ),
        (
            '[environments]\na = {freeze = ["Mon 00:00-Mon 0\\u0030:00"]}\n',
            [
                (
                    "2:1: environments.a.freeze[0]: 'Mon 00:00-Mon 00:00': it ends when it starts: write two windows "
                    "that make up the week, or none"
                )
            ],
        ),
        ("[environments.a]\nfreeze = 'Mon'\n", ["2:1: environments.a.freeze: expected a list, found 'Mon'"]),
    ],
)
def test_a_freeze_that_cannot_be_read_is_an_error_at_its_place(tmp_path: Path, text: str, lines: list[str]) -> None:
    """It is found by every command, not by the first deploy that it should have stopped."""
    assert errors(tmp_path, text) == lines


def test_how_a_target_is_asked_is_bounded(tmp_path: Path) -> None:
    """Tries, the factor between waits and requests a minute can be set, within reason."""
    config = load_config(write(tmp_path, "[environments.a]\nretry = {tries = 3, requestsPerMinute = 60}\n"))
    assert config.environments["a"].retry == Retry(3, 2.0, 60)
    assert errors(tmp_path, "[environments.a]\nretry = {tries = 0, backoff = 0.5}\n") == [
        "2:1: environments.a.retry.tries: expected a whole number of 1 to 20, found 0",
        "2:1: environments.a.retry.backoff: expected a number of 1 to 10, found 0.5",
    ]

"""``secret_command``: run where something is missing, without a shell, and never shown."""

from __future__ import annotations

import os
import sys
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from dialproof.config import Environment, load_config
from dialproof.errors import UsageError
from dialproof_deploy.api import secret_command
from dialproof_deploy.api.secret_command import missing_for, with_secret
from dialproof_deploy.redact import redact
from dialproof_deploy.targets import CAMPAIGN_RULES, RULESETS

if TYPE_CHECKING:
    from pathlib import Path

    from dialproof.targets.base import TargetType

SECRET = "hunter2-hunter2"


def environment(code: str, *arguments: str, target: str = "campaign-rules") -> Environment:
    """Return an environment whose command is a Python program."""
    command = (sys.executable, "-c", code, *arguments)
    return Environment("prod", target, base_url="https://example.com", secret_command=command)


def ask(
    code: str, folder: Path, *arguments: str, target: TargetType = CAMPAIGN_RULES, **environ: str
) -> dict[str, str]:
    """Return the variables that a login finds, without those of this process."""
    path = {"PATH": os.environ.get("PATH", "")}
    found = with_secret(target, environment(code, *arguments, target=target.name), {**path, **environ}, folder)
    return {name: value for name, value in found.items() if name not in path}


@pytest.mark.parametrize("target", [CAMPAIGN_RULES, RULESETS], ids=lambda target: target.name)
def test_a_secret_alone_or_both_are_taken(tmp_path: Path, target: TargetType) -> None:
    """A vault prints a secret; one that prints JSON gives the id as well. The end of the line does not count."""
    alone = ask(f"print('{SECRET}')", tmp_path, target=target, DIALPROOF_PROD_CLIENT_ID="me")
    assert alone == {"DIALPROOF_PROD_CLIENT_ID": "me", "DIALPROOF_PROD_CLIENT_SECRET": SECRET}
    both = ask(f"""print('{{"client_id": "you", "client_secret": "{SECRET}", "x": 1}}')""", tmp_path, target=target)
    assert both == {"DIALPROOF_PROD_CLIENT_ID": "you", "DIALPROOF_PROD_CLIENT_SECRET": SECRET}
    assert SECRET not in redact(f"it is {SECRET}")


def test_it_runs_only_where_something_is_missing(tmp_path: Path) -> None:
    """Variables stand before the command: with them it is not even started."""
    touch = "import pathlib; pathlib.Path('ran').touch(); print('s')"
    given = {"GENESYS_CLIENT_ID": "me", "GENESYS_CLIENT_SECRET": "mine"}
    assert ask(touch, tmp_path, **given) == given
    assert not (tmp_path / "ran").exists()
    found = ask(touch, tmp_path, GENESYS_CLIENT_ID="me")
    assert found == {"GENESYS_CLIENT_ID": "me", "DIALPROOF_PROD_CLIENT_SECRET": "s"}
    assert (tmp_path / "ran").exists()


def test_what_it_may_give_is_not_missing() -> None:
    """Before anything is run only what no command can give is asked for: the region."""
    command = Environment("prod", secret_command=("vault",))
    assert missing_for(CAMPAIGN_RULES, command, {}) == ["GENESYS_ENV"]
    assert missing_for(RULESETS, replace(command, target="rulesets"), {}) == ["GENESYSCLOUD_REGION"]
    assert len(missing_for(CAMPAIGN_RULES, Environment("prod"), {})) == 3


def test_no_shell_reads_its_arguments(tmp_path: Path) -> None:
    """What would be an expansion, a pipe or a second command elsewhere is the text of an argument."""
    argument = "$HOME `id` ; touch x | cat > y"
    found = ask("import sys; print(sys.argv[1])", tmp_path, argument, GENESYS_CLIENT_ID="me")
    assert found["DIALPROOF_PROD_CLIENT_SECRET"] == argument
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("code", "says"),
    [
        (f"import sys; print('{SECRET}'); sys.stderr.write('{SECRET}'); sys.exit(3)", "ended with exit status 3"),
        ("pass", "printed something else than the client secret alone"),
        (f"print('{SECRET}\\nmore')", "printed something else than"),
        ("print('{\"client_secret\": 5}')", "printed something else than"),
        (f'print(\'{{"secret": "{SECRET}"}}\')', "printed something else than"),
        (f"print('{{{SECRET}')", "printed something else than"),
        ("import sys; sys.stdout.buffer.write(b'\\xff\\xfe')", "printed something else than"),
        ("print('x' * 99999)", "printed something else than"),
    ],
)
def test_whatever_goes_wrong_is_a_sentence_without_its_output(tmp_path: Path, code: str, says: str) -> None:
    """Neither what it prints nor its arguments are shown."""
    with pytest.raises(UsageError) as caught:
        ask(code, tmp_path)
    assert str(caught.value).startswith(f"environment 'prod': secret_command ({sys.executable!r})")
    assert says in str(caught.value)
    assert SECRET not in str(caught.value)


def test_a_program_that_is_not_there_and_one_that_waits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both end; nobody waits for a question that nobody can answer."""
    gone = Environment("prod", base_url="https://example.com", secret_command=("no-such-program",))
    with pytest.raises(UsageError, match=r"\('no-such-program'\) cannot be run: No such file"):
        with_secret(CAMPAIGN_RULES, gone, {}, tmp_path)
    odd = Environment("prod", base_url="https://example.com", secret_command=("a\0b",))
    with pytest.raises(UsageError, match="cannot be run: its arguments cannot be passed on"):
        with_secret(CAMPAIGN_RULES, odd, {}, tmp_path)
    monkeypatch.setattr(secret_command, "_TIMEOUT", 0.2)
    with pytest.raises(UsageError, match=r"gave no answer within 0\.2 s"):
        ask("import time; time.sleep(60)", tmp_path)
    monkeypatch.undo()
    with pytest.raises(UsageError, match="printed something else"):
        ask("import sys; sys.stdout.write(sys.stdin.read())", tmp_path)


@pytest.mark.parametrize(
    ("written", "line"),
    [
        ('"op read x"', "2:19: environments.a.secret_command: expected a list, the program and each of its arguments"),
        ("[]", "2:1: environments.a.secret_command: expected a program, found none"),
        ('[" "]', "2:1: environments.a.secret_command: expected a program, found none"),
        ('["op", 5]', "2:1: environments.a.secret_command[1]: expected text, found 5"),
    ],
)
def test_a_command_is_a_list_of_texts(tmp_path: Path, written: str, line: str) -> None:
    """A text would need a shell to be taken apart."""
    (tmp_path / "dialproof.toml").write_text(f"[environments.a]\nsecret_command = {written}\n", encoding="utf-8")
    with pytest.raises(UsageError) as caught:
        load_config(tmp_path)
    assert str(caught.value).removeprefix(f"{tmp_path.as_posix()}/dialproof.toml:").startswith(line)

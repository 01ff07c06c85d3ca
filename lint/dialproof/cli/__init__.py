"""The ``dialproof`` command: finds the subcommand, runs it, and turns every error into a line and an exit code.

A subcommand's module is imported only when it is named, so that ``dialproof lint`` pays for nothing else. Subcommands
of plugins come in by the hook ``dialproof_subcommands`` and are looked up when no built-in one has the name.
"""

from __future__ import annotations

import argparse
import errno
import os
import sys
from contextlib import suppress
from importlib import import_module
from typing import TYPE_CHECKING, TypeAlias

from dialproof import __version__
from dialproof.errors import DialproofError, ExitCode

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    _Command: TypeAlias = tuple[str, Callable[[argparse.ArgumentParser], None]]

__all__ = ["COMMANDS", "main"]

COMMANDS = {
    "lint": "report what is wrong with rules, with a contact that shows it",
    "explain": "print the documentation of a check",
    "checks": "list all checks",
    "schema": "print the JSON Schema of a kind of file",
    "cel": "print each rule's conditions as CEL",
    "backtest": "run rules over whole contact lists, and tell what a change of them does",
    "diff": "tell what a change of rules does to contacts, proved or shown on a contact",
    "why": "tell what of a contact forces its outcome, and the nearest contact with another one",
    "mutate": "change rules a little and tell which changes no case notices",
    "generate": "write contacts that are worth a test, each with the reasons for it",
    "init": "write a small project that passes",
}
"""Built-in subcommand -> one-line help; its module is ``dialproof.cli.NAME_command``."""

_INTERRUPTED = 130  # 128 + SIGINT, as shells report it
_BROKEN_PIPE = 141  # 128 + SIGPIPE
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line (default: that of the process) and return its exit code."""
    if sys.stdout is None:  # the process was started with a closed standard output
        sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115 (open until the process ends)
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    try:
        code = _run(list(sys.argv[1:] if argv is None else argv))
        sys.stdout.flush()
    except SystemExit as exit_:  # argparse: 0 after --help, 2 on a wrong command line
        code = exit_.code if isinstance(exit_.code, int) else ExitCode.USAGE
    except DialproofError as error:
        if os.environ.get("DIALPROOF_DEBUG"):
            raise
        print_error(error)
        code = error.exit_code
    except KeyboardInterrupt:
        code = _INTERRUPTED
    except BrokenPipeError:
        _discard_output()  # whoever read it has gone
        code = _BROKEN_PIPE
    except Exception as error:
        if isinstance(error, OSError) and error.errno in _FULL and error.filename is None:
            _discard_output()
            _say(f"the output cannot be written: {error.strerror}")
            return ExitCode.USAGE
        if os.environ.get("DIALPROOF_DEBUG"):
            raise
        # Only the type: the text of an unexpected error may hold a contact's values.
        _say(f"internal error ({type(error).__name__}); set DIALPROOF_DEBUG=1 to see where, and report it please")
        code = ExitCode.INTERNAL
    return int(code)


def _discard_output() -> None:
    """Keep the interpreter from complaining, when it flushes at exit, about output that nobody takes."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def print_error(error: DialproofError) -> None:
    """Print each line of an error's message on stderr."""
    for line in str(error).splitlines() or [type(error).__name__]:
        _say(line)


def _say(line: str) -> None:
    with suppress(OSError):  # nobody takes it: the exit code still says it
        print(f"dialproof: error: {line}", file=sys.stderr)


def _run(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(
        prog="dialproof", description="Test, lint, prove and ship outbound dialing rules.", allow_abbrev=False
    )
    parser.add_argument("--version", action="version", version=f"dialproof {__version__}")
    subparsers = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    named = next((a for a in arguments if not a.startswith("-")), None)
    for name, help_ in COMMANDS.items():
        subparser = subparsers.add_parser(name, help=help_, description=_sentence(help_), allow_abbrev=False)
        if name == named:
            module = import_module(f"dialproof.cli.{name}_command")
            module.add_arguments(subparser)
            subparser.set_defaults(run=module.run)
    if named not in COMMANDS:
        for name, (help_, add_arguments) in _plugin_commands(lenient=named is None).items():
            subparser = subparsers.add_parser(name, help=help_, description=_sentence(help_), allow_abbrev=False)
            if name == named:
                add_arguments(subparser)
        if named is not None and named not in subparsers.choices:
            from difflib import get_close_matches

            near = get_close_matches(named, subparsers.choices, 1)
            hint = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(subparsers.choices)}"
            parser.error(f"there is no command {named!r}; {hint}")
    parsed = parser.parse_args(arguments)
    run: Callable[[argparse.Namespace], int] = parsed.run
    return run(parsed)


def _sentence(help_: str) -> str:
    return f"{help_[:1].upper()}{help_[1:]}."


def _plugin_commands(*, lenient: bool) -> dict[str, _Command]:
    """Return the subcommands of all plugins by name; one that a built-in or an earlier plugin has is refused.

    ``lenient`` prints the error of a broken plugin and goes on: the help must not depend on it.
    """
    try:
        return _from_plugins()
    except DialproofError as error:
        if not lenient:
            raise
        print_error(error)
        return {}


def _from_plugins() -> dict[str, _Command]:
    from dialproof.errors import UsageError
    from dialproof.plugins import guarded, implementations

    found: dict[str, _Command] = {}
    for plugin, function in implementations("dialproof_subcommands"):
        commands = guarded(plugin, "dialproof_subcommands", dict)(function())
        for name, (help_, add_arguments) in commands.items():
            if name in COMMANDS or name in found:
                raise UsageError(f"plugin {plugin!r}: the command {name!r} exists already")
            found[name] = help_, guarded(plugin, f"the command {name!r}", add_arguments)
    return dict(sorted(found.items()))

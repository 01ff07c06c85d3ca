"""Which two states a command line means: files, folders, git revisions."""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from dialproof.cli.inputs import check_read, config_for
from dialproof.diff.states import State
from dialproof.errors import InputError, UsageError
from dialproof.reading import display_path, kind_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from dialproof.config import Config

__all__ = ["states_of"]


@contextmanager
def states_of(old: str, new: str | None, contacts: Sequence[Path] = ()) -> Iterator[tuple[State, State]]:
    """Read both states; what belongs to a git revision is there until the context ends.

    What is no file or folder is a revision. Without ``new`` it is the files as they are on disk, and ``old`` stands for
    the commit at which it and HEAD part; two revisions are taken as they are. ``contacts`` are no files of the project.
    Raises :class:`UsageError` for what is neither, :class:`InputError` for files that cannot be read.
    """
    paths = [None if text is None or not Path(text).exists() else Path(text) for text in (old, new)]
    config = config_for([_of_project(next((p for p in (paths[1], paths[0]) if p is not None), Path()))])
    with ExitStack() as stack:
        states = []
        for text, path, other in ((old, paths[0], paths[1]), (new, paths[1], paths[0])):
            if text is None:
                states.append(_on_disk("the files", Path(), contacts))
            elif path is None:
                states.append(_at(text, config, stack, exact=new is not None))
            else:
                _check_not_both(text, path, config)
                beside = [*contacts, *([other] if other is not None and other.is_file() else [])]
                states.append(_on_disk(text, path, beside))
        for state in states:
            _check(state)
        yield states[0], states[1]


def _check(state: State) -> None:
    """Raise :class:`InputError` where a state has no campaign because its files have errors."""
    if state.base is not None and state.base.unread:
        raise InputError(state.base.unread)
    if not state.campaigns and state.base is None:
        check_read(state.project, state.file)
        raise UsageError(f"{state.label}: there are no rules of a campaign")


def _of_project(path: Path) -> Path:
    if path.is_file() and kind_of(path.name) != "rules":
        raise UsageError(f"{path}: expected a *.rules.yaml file, a folder or a git revision")
    return path


def _check_not_both(text: str, path: Path, config: Config) -> None:
    """Raise :class:`UsageError` where a name is that of a revision as well."""
    from dialproof.repository import Repository

    if path.is_file() or text.startswith(("/", ".")):
        return
    try:
        Repository.of(replace(config, base=text)).commit(text)
    except UsageError:
        return
    raise UsageError(f"{text!r} is a folder and a git revision: write ./{text}, or heads/{text}")


def _on_disk(label: str, path: Path, beside: Sequence[Path]) -> State:
    from dialproof.project import load_project

    config = config_for([_of_project(path)])
    root = config.root.resolve()
    own = tuple(display_path(root, other.resolve()) for other in beside)
    project = load_project(replace(config, exclude=(*config.exclude, *own)), [] if path.is_dir() else [path.resolve()])
    return State(label, project, "" if path.is_dir() else display_path(root, path.resolve()))


def _at(revision: str, config: Config, stack: ExitStack, *, exact: bool) -> State:
    from dialproof.base import base_of

    base = stack.enter_context(base_of(replace(config, base=revision), exact=exact))
    return State(f"{revision} ({base.commit[:12]})", base.project, base=base)

"""Finds the files of a project and reads each by its kind."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING

from dialproof.config_reader import is_root
from dialproof.errors import UsageError
from dialproof.source import MAX_BYTES, Mapping, paused_gc, read_bytes, read_source
from dialproof.source.positions import Problem, Span

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from collections.abc import Mapping as AbstractMapping

    from dialproof.model.contactlist import ContactList
    from dialproof.model.contacts import ContactsFile
    from dialproof.model.rules import RulesFile

__all__ = [
    "Files",
    "display_path",
    "holds_files",
    "is_excluded",
    "kind_of",
    "nested_projects",
    "project_files",
    "read_files",
    "resolved",
]

_KIND = re.compile(r".*\.(rules|contacts|contactlist)\.(?:yaml|yml|json)|.*\.(contacts)\.csv", re.IGNORECASE)
_SKIPPED = frozenset({"node_modules", "build", "dist", "venv", "__pycache__"})
_LOOKS_LIKE_RULES = re.compile(rb"^(?:rules|cases|population)[ \t]*:", re.MULTILINE)


def kind_of(name: str) -> str | None:
    """Return the kind of file that a name stands for: rules, contacts, contactlist, or None."""
    found = _KIND.fullmatch(name)
    return (found[1] or found[2]).lower() if found else None


def is_excluded(path: str, globs: Sequence[str]) -> bool:
    """Tell whether a path (POSIX, relative to the configuration root), or a folder above it, matches one of the globs.

    ``*`` and ``?`` stay within a name, ``**`` stands for any number of folders.
    """
    parts = path.split("/")
    above = [parts[:count] for count in range(1, len(parts) + 1)]
    return any(_matches(each, glob.strip("/").split("/")) for glob in globs for each in above)


def _matches(parts: Sequence[str], glob: Sequence[str]) -> bool:
    if not glob:
        return not parts
    if glob[0] == "**":
        return any(_matches(parts[start:], glob[1:]) for start in range(len(parts) + 1))
    return bool(parts) and fnmatchcase(parts[0], glob[0]) and _matches(parts[1:], glob[1:])


def display_path(root: Path, path: Path) -> str:
    """Return a path relative to the configuration root, with ``/`` and ``..`` where it lies outside."""
    if path.is_relative_to(root):
        return path.relative_to(root).as_posix()
    try:
        return Path(os.path.relpath(path, root)).as_posix()
    except ValueError:  # another drive
        return path.as_posix()


def resolved(base: str, written: str) -> str:
    """Return the display path of what is written in the file of the display path ``base``, relative to that file."""
    return os.path.normpath(os.path.join(os.path.dirname(base), written)).replace(os.sep, "/")


@dataclass(slots=True)
class Files:
    """What was read: files by display path, problems and notes, digests; ``broken`` are paths with errors, by kind.

    ``exclude`` are globs of files that are not read, whoever names them; ``edited`` holds contents by display path that
    stand in place of files on disk.
    """

    root: Path
    exclude: Sequence[str] = ()
    edited: AbstractMapping[str, bytes] = field(default_factory=dict)
    rules: dict[str, RulesFile] = field(default_factory=dict)
    contacts: dict[str, ContactsFile] = field(default_factory=dict)
    contact_lists: dict[str, ContactList] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    digests: dict[str, str] = field(default_factory=dict)
    broken: dict[str, str] = field(default_factory=dict)

    def read(self, path: Path) -> None:
        """Read one file of a kind; once is enough."""
        display = display_path(self.root, path)
        kind = kind_of(path.name)
        if kind is None or display in self.digests or display in self.broken or is_excluded(display, self.exclude):
            return
        if path.suffix.lower() == ".csv":
            from dialproof.model.parse_csv import parse_csv

            contacts, problems, digest = parse_csv(path, display)
            self._keep(display, kind, contacts, problems, digest)
            return
        source = read_source(path, display, self.edited.get(display))
        if kind == "rules":
            from dialproof.model.parse_rules import parse_rules

            self._keep(display, kind, *parse_rules(source), source.digest)
        elif kind == "contacts":
            from dialproof.model.parse_contacts import parse_contacts

            self._keep(display, kind, *parse_contacts(source), source.digest)
        else:
            from dialproof.model.parse_contactlist import parse_contactlist

            self._keep(display, kind, *parse_contactlist(source), source.digest)

    def _keep(
        self,
        display: str,
        kind: str,
        content: RulesFile | ContactsFile | ContactList | None,
        problems: Sequence[Problem],
        digest: str,
    ) -> None:
        self.problems.extend(problems)
        if digest:
            self.digests[display] = digest
        if content is None:
            self.broken[display] = kind
        else:
            kinds = {"rules": self.rules, "contacts": self.contacts, "contactlist": self.contact_lists}
            kinds[kind][display] = content  # type: ignore[index]


def read_files(
    root: Path,
    paths: Iterable[Path],
    exclude: Sequence[str] = (),
    edited: AbstractMapping[str, bytes] | None = None,
) -> Files:
    """Read every file of a kind below ``root``, and those among (or below) ``paths``, without excluded ones.

    ``edited`` holds contents that stand in place of files. Raises :class:`UsageError` for paths that do not exist.
    """
    files = Files(root, exclude, edited or {})
    found, suspects = project_files(root, exclude)
    missing = []
    for path in paths:
        absolute = Path(os.path.abspath(path))
        if absolute.is_dir() and not kind_of(absolute.name):
            if not absolute.is_relative_to(root):
                further, further_suspects = project_files(absolute)
                found += further
                suspects += further_suspects
        elif not absolute.exists():
            missing.append(f"{path}: there is no such file or folder")
        elif kind_of(absolute.name):
            found.append(absolute)
        elif not is_excluded(display_path(root, absolute), exclude):
            _refuse_name(files, absolute)
    if missing:
        raise UsageError("\n".join(missing))
    with paused_gc():
        for path in sorted(dict.fromkeys(found), key=lambda p: display_path(root, p)):
            files.read(path)
    for path in sorted(dict.fromkeys(suspects)):
        if _misnamed(path):
            _refuse_name(files, path)
    return files


def project_files(root: Path, exclude: Sequence[str] = ()) -> tuple[list[Path], list[Path]]:
    """Return the files of a kind below a folder, and other YAML files in the folders that hold any.

    A folder with a configuration of its own is another project and is left out; so is what ``exclude`` matches. A
    folder with the name of a file of a kind is among the files, so that reading it says what is wrong. Raises
    :class:`UsageError` for folders that cannot be read.
    """
    found: list[Path] = []
    suspects: list[Path] = []
    for folder, folders, names in os.walk(root, onerror=_refuse_folder):
        own = [
            name
            for name in _folders(folder, folders)
            if not is_excluded(display_path(root, Path(folder, name)), exclude) and not is_root(Path(folder, name))
        ]
        folders[:] = [name for name in own if not kind_of(name)]
        here = [Path(folder, name) for name in sorted(names) if not name.startswith(".")]
        here = [path for path in here if not is_excluded(display_path(root, path), exclude)]
        of_a_kind = [path for path in here if kind_of(path.name)]
        found += of_a_kind
        found += [Path(folder, name) for name in own if kind_of(name)]
        if of_a_kind:
            suspects += [p for p in here if p.suffix.lower() in (".yaml", ".yml") and not kind_of(p.name)]
    return found, suspects


def _refuse_folder(error: OSError) -> None:
    if not isinstance(error, FileNotFoundError):  # which has gone while we looked
        raise UsageError(f"{error.filename}: cannot be read: {error.strerror}") from None


def holds_files(folder: Path) -> bool:
    """Tell whether a folder holds files of a kind that belong to no project below it."""
    return bool(project_files(folder)[0])


def nested_projects(root: Path) -> list[Path]:
    """Return the folders below ``root`` that are projects of their own, at any depth."""
    found: list[Path] = []
    for folder, folders, _ in os.walk(root, onerror=_refuse_folder):
        folders[:] = _folders(folder, folders)
        found += [path for name in folders if is_root(path := Path(folder, name))]
    return found


def _folders(parent: str, names: Sequence[str]) -> list[str]:
    """Return the folders to look into: none that are hidden, of tools, or virtual environments."""
    return sorted(
        name
        for name in names
        if not name.startswith(".")
        and name not in _SKIPPED
        and not os.path.isfile(os.path.join(parent, name, "pyvenv.cfg"))
    )


def _misnamed(path: Path) -> bool:
    """Tell whether a YAML file without a kind in its name has the keys of rules or cases."""
    content = read_bytes(path, MAX_BYTES)
    if isinstance(content, str) or not _LOOKS_LIKE_RULES.search(content):
        return False
    root = read_source(path, path.name, content).root
    return isinstance(root, Mapping) and _kind_by_keys(root) is not None


def _kind_by_keys(root: Mapping) -> str | None:
    if "cases" in root or ("population" in root and ("rules" in root or "campaign" in root)):
        return "contacts"
    return "rules" if "rules" in root and ("campaign" in root or "campaigns" in root) else None


def _refuse_name(files: Files, path: Path) -> None:
    """Report a file whose name says no kind."""
    display = display_path(files.root, path)
    source = read_source(path, display)
    kind = _kind_by_keys(source.root) if isinstance(source.root, Mapping) else None
    if kind and isinstance(source.root, Mapping):
        keys = ("cases", "population") if kind == "contacts" else ("rules",)
        entry = next(entry for key in keys if (entry := source.root.entry(key)))
        message = f"this is a {kind} file by its keys: rename it to {path.stem}.{kind}{path.suffix}"
        problem = Problem(display, entry.key.span, "DP101", message)
    else:
        message = "expected a name that ends in .rules.yaml, .contacts.yaml, .contacts.csv or .contactlist.yaml"
        problem = Problem(display, Span.point(1, 1), "DP101", message)
    if problem not in files.problems:
        files.problems.append(problem)

"""What git knows of a project: revisions, and the files of a commit. Nothing is written into the work tree."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from dialproof.errors import UsageError
from dialproof.reading import kind_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from subprocess import CompletedProcess

    from dialproof.config import Config

__all__ = ["Repository"]

_LANDMARKS = ("dialproof.toml", "pyproject.toml", "pyvenv.cfg")
"""What says where a project begins, and which folders are none of it."""
_OF_HOOKS = ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX", "GIT_COMMON_DIR")
"""What git sets for its hooks, with paths that hold in one folder alone."""
_LINK, _SUBMODULE = b"120000", b"160000"
_LINKS = 40
"""Links that are followed on the way to one file."""


@dataclass(frozen=True)
class Repository:
    """A work tree; ``prefix`` is the folder that was asked about, relative to ``top``, with a slash at its end."""

    top: Path
    prefix: str

    @classmethod
    def of(cls, config: Config) -> Repository:
        """Return the repository that holds the configuration root; raises :class:`UsageError` where none does."""
        found = _git(config.root, "rev-parse", "--show-toplevel", "--show-prefix")
        if found.returncode == 0:
            top, _, prefix = os.fsdecode(found.stdout.removesuffix(b"\n")).partition("\n")
            return cls(Path(top), prefix)
        said = _said(found)
        if "not a git repository" in said or "work tree" in said:
            said = "the configuration root is in no git repository"
        raise UsageError(f"{config.root}: what has changed since {config.base!r} cannot be told: {said}")

    def base(self, revision: str) -> str:
        """Return the commit at which a revision and HEAD part; raises :class:`UsageError` where there is none."""
        commit = self.commit(revision)
        head = self._commit("HEAD")
        if head is None:
            raise UsageError(f"what has changed since {revision!r} cannot be told: nothing is checked out here yet")
        found = _git(self.top, "merge-base", commit, head)
        if found.returncode:
            raise UsageError(self._unless_shallow(f"{revision!r} and HEAD have no commit in common", revision))
        return found.stdout.decode().split()[0]

    def commit(self, revision: str) -> str:
        """Return the commit of a revision; raises :class:`UsageError` where there is none."""
        commit = None if revision.startswith("-") else self._commit(revision)
        if commit is None:
            raise UsageError(self._unless_shallow(f"there is no revision {revision!r} in this repository", revision))
        return commit

    def _commit(self, revision: str) -> str | None:
        found = _git(self.top, "rev-parse", "--verify", "--quiet", f"{revision}^{{commit}}")
        return found.stdout.decode().strip() if found.returncode == 0 else None

    def _unless_shallow(self, message: str, revision: str) -> str:
        if _git(self.top, "rev-parse", "--is-shallow-repository").stdout.strip() != b"true":
            return message
        return (
            f"this clone is shallow and does not reach back to where {revision!r} and HEAD part: fetch the whole "
            "history (`fetch-depth: 0` of actions/checkout, or git fetch --unshallow)"
        )

    def write(self, commit: str, target: Path) -> list[str]:
        """Write what projects are made of at a commit into a folder; return which parts are not to be had.

        Files are as they were committed: no filter and no end of line is applied. Links are followed inside of the
        repository, submodules as far as their commits are there.
        """
        tree = self._tree(commit)
        links = [path for path, (mode, _) in tree.items() if mode == _LINK]
        texts = self._contents(tree[path][1] for path in links)
        targets = {p: "/" if text is None else os.fsdecode(text) for p, text in zip(links, texts, strict=True)}
        holes = []
        blobs: dict[str, str] = {}
        for path in _chosen(tree):
            mode, name = tree.get(_followed(path, targets) or "", (_LINK, ""))
            if mode not in (_LINK, _SUBMODULE):
                blobs[path] = name
            elif path in targets and path.startswith(self.prefix):
                holes.append(f"{path.removeprefix(self.prefix)} leads to no file of the repository")
        for path, content in zip(blobs, self._contents(blobs.values()), strict=True):
            if content is None:
                holes.append(f"this clone does not hold {path.removeprefix(self.prefix)}")
                continue
            (target / path).parent.mkdir(parents=True, exist_ok=True)
            (target / path).write_bytes(content)
        for path in targets:  # a contact list may be named through a link to its folder
            folder = _followed(path, targets)
            if folder is not None and (target / folder).is_dir() and not (target / path).exists():
                (target / path).parent.mkdir(parents=True, exist_ok=True)
                (target / path).symlink_to(os.path.relpath(target / folder, (target / path).parent))
        for path, (mode, name) in tree.items():
            if mode == _SUBMODULE and path.startswith(self.prefix) and not self._write_submodule(path, name, target):
                holes.append(f"this clone does not hold the submodule {path.removeprefix(self.prefix)}")
        return holes

    def _tree(self, commit: str) -> Mapping[str, tuple[bytes, str]]:
        """Return mode and object of every file of a commit by its path from the top."""
        found = _git(self.top, "ls-tree", "-r", "-z", "--full-tree", commit)
        if found.returncode:
            raise UsageError(f"git cannot list the files of {commit}: {_said(found)}")
        tree = {}
        for line in found.stdout.split(b"\0"):
            about, tab, name = line.partition(b"\t")
            path = os.fsdecode(name)
            if tab and not {"", ".", "..", ".git"} & set(path.split("/")) and (os.sep == "/" or os.sep not in path):
                mode, _, blob = about.split()
                tree[path] = (mode, blob.decode())
        return tree

    def _contents(self, blobs: Iterable[str]) -> Iterator[bytes | None]:
        """Yield the content of each blob, None for one that this clone does not have."""
        names = list(blobs)
        data = _git(self.top, "cat-file", "--batch", stdin="".join(f"{name}\n" for name in names).encode()).stdout
        at = 0
        for name in names:
            end = data.find(b"\n", at)
            head = data[at:end].split() if end >= 0 else []
            at = end + 1
            if head[:2] != [name.encode(), b"blob"]:
                yield None
                continue
            size = int(head[2])
            yield data[at : at + size]
            at += size + 1

    def _write_submodule(self, path: str, commit: str, target: Path) -> bool:
        """Write what a submodule held; return False where there are files of it now but not the commit of then."""
        folder = self.top / path
        if not folder.is_dir() or not any(folder.iterdir()):
            return True
        found = _git(folder, "rev-parse", "--show-toplevel")
        inner = Repository(folder, "")
        if os.fsdecode(found.stdout.removesuffix(b"\n")) != str(folder) or inner._commit(commit) is None:
            return False
        return not inner.write(commit, target / path)


def _chosen(tree: Iterable[str]) -> list[str]:
    """Return the files of a kind, what says where projects begin, and YAML beside files of a kind."""
    paths = list(tree)
    of_a_kind = {path for path in paths if kind_of(os.path.basename(path)) is not None}
    folders = {os.path.dirname(path) for path in of_a_kind}
    return [
        path
        for path in paths
        if path in of_a_kind
        or os.path.basename(path) in _LANDMARKS
        or (path.lower().endswith((".yaml", ".yml")) and os.path.dirname(path) in folders)
    ]


def _followed(path: str, targets: Mapping[str, str]) -> str | None:
    """Return where a path leads when links are followed, None where that is outside or a circle."""
    done: list[str] = []
    left = path.split("/")[::-1]
    followed = 0
    while left:
        part = left.pop()
        if part == "..":
            if not done:
                return None
            done.pop()
        elif part not in ("", "."):
            done.append(part)
            target = targets.get("/".join(done))
            if target is not None:
                followed += 1
                if followed > _LINKS or target.startswith("/"):
                    return None
                done.pop()
                left += target.split("/")[::-1]
    return "/".join(done)


def _git(folder: Path, *arguments: str, stdin: bytes = b"") -> CompletedProcess[bytes]:
    """Run git in a folder; raises :class:`UsageError` where there is none."""
    import subprocess

    environment = {name: value for name, value in os.environ.items() if name not in _OF_HOOKS}
    environment |= {"GIT_OPTIONAL_LOCKS": "0", "GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C"}
    try:
        return subprocess.run(  # noqa: S603  (fixed arguments; a revision that looks like an option is refused)
            ["git", *arguments],  # noqa: S607  (the user's git, found as their shell finds it)
            cwd=folder, env=environment, input=stdin, capture_output=True, check=False,
        )  # fmt: skip
    except FileNotFoundError:
        raise UsageError("git is not installed, and what has changed is asked of it") from None
    except OSError as error:
        raise UsageError(f"git cannot be run ({error.strerror}), and what has changed is asked of it") from None


def _said(done: CompletedProcess[bytes]) -> str:
    return done.stderr.decode(errors="replace").strip().partition("\n")[0].removeprefix("fatal: ")

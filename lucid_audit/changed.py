"""Which files of a repository have changed since a revision, committed or not."""

from __future__ import annotations

import os

from lucid_audit.errors import UsageError
from lucid_audit.gitcall import git, paths


def since(revision: str, folder: str) -> frozenset[str]:
    """Return the real paths of the files that differ from where the history parted from ``revision``, new ones too.

    Raises:
        UsageError: git does not know the revision, or there is no git.

    """
    top = git(folder, "rev-parse", "--show-toplevel")
    commit = git(folder, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}")
    if top is None or commit is None:
        raise UsageError(f"--changed-since {revision}: git knows no such revision here")
    root, name = os.fsdecode(top).rstrip("\n"), commit.decode("ascii", "replace").strip()
    base = git(root, "merge-base", name, "HEAD")
    parted = base.decode("ascii", "replace").strip() if base else name  # without a common past, all that differs
    differs = git(root, "diff", "--name-only", "-z", "--no-renames", "--no-ext-diff", "--no-textconv", parted, "--")
    new = git(root, "ls-files", "--others", "--exclude-standard", "-z")
    if differs is None or new is None:
        raise UsageError(f"--changed-since {revision}: git cannot compare")
    return frozenset(os.path.realpath(os.path.join(root, path)) for path in (*paths(differs), *paths(new)))

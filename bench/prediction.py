"""What the prediction costs: the same files judged with the trees of their stages and without, in turns, in one process.

Started by ``run.py`` with the Python that has the wheel; prints the CPU seconds of both as JSON. Without the trees nothing is known
of any file in an image, so every rule that asks for one skips; the rest of linting is as it is.
"""

from __future__ import annotations

import gc
import json
import sys
from datetime import date
from pathlib import Path
from statistics import median
from time import process_time
from unittest import mock

from lucid_audit import lint
from lucid_audit.container.base_tree import base_tree
from lucid_audit.container.tree import Tree
from lucid_audit.dockerfile.stage_tree import Trees
from lucid_audit.dockerfile.stages import Stage
from lucid_audit.text import SourceText

ROUNDS = 5


def nothing(_: Trees, stage: Stage) -> Tree:
    """Return a tree of which nothing is known."""
    return base_tree(None, stage.label)


def seconds(files: list[str]) -> float:
    """Judge all files and return the CPU seconds."""
    request = lint.Request(tuple(files), date(2026, 1, 15))
    prepared = lint.prepare(request)
    start = process_time()
    for name in files:
        lint.look(SourceText.decode(name, Path(name).read_bytes()), on_disk=True, prepared=prepared, request=request)
    return process_time() - start


def main() -> None:
    """Measure both, in turns."""
    gc.disable()
    files = sys.argv[1:]
    seconds(files)  # the first time everything is imported and compiled
    whole, without = [], []
    for _ in range(ROUNDS):
        whole.append(seconds(files))
        with mock.patch.object(Trees, "end", nothing):
            without.append(seconds(files))
        gc.collect()
    print(json.dumps({"whole": median(whole), "without": median(without)}))


if __name__ == "__main__":
    main()

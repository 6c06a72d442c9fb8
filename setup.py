"""Puts ``rules/`` into the wheel as ``lucid_audit/rules`` and compiles it to one module. The rest is pyproject.toml."""

import sys
from pathlib import Path
from shutil import copytree

from setuptools import find_packages, setup
from setuptools.command.build_py import build_py

ROOT = Path(__file__).parent
sys.path.insert(0, str(ROOT))


class BuildWithRules(build_py):
    """``build_py``, then the rules; an editable install reads them from the checkout instead."""

    def run(self) -> None:
        super().run()
        if self.editable_mode:
            return
        from lucid_audit import precompile

        copytree(ROOT / "rules", Path(self.build_lib, "lucid_audit", "rules"), dirs_exist_ok=True)
        precompile.write(str(Path(self.build_lib, "lucid_audit")))


setup(cmdclass={"build_py": BuildWithRules}, packages=find_packages(include=["lucid_audit", "lucid_audit.*"]))

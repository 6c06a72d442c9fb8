"""Images of the start bench whose Python programs import something."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from start_case import Case, Put, program
from start_programs import LOADERS, TRIPLETS
from start_python import READY, SITE, VERSION


def modules(arch: str) -> Iterator[Case]:
    def case(
        name: str, files: Mapping[str, Put | str], broken: str = "", *rules: str, lines: tuple[str, ...] = ()
    ) -> Case:
        return Case(name, arch, "python3", files, ("WORKDIR /app", *lines, 'CMD ["main.py"]'), broken, rules)

    digits = VERSION.replace(".", "")
    fast = f"fast.cpython-{digits}-{TRIPLETS[arch]}.so"
    other = next(one for one in LOADERS if one != arch)
    main = {"/app/main.py": f"import fast\n{READY}"}
    lib, own = f"/usr/lib/{TRIPLETS[arch]}", program("libown.so.1", 0o644)
    gone, cannot = "import-missing", "extension-cannot-load"
    yield case(
        "import-relative",
        {
            "/app/main.py": f"import pkg.a\n{READY}",
            "/app/pkg/__init__.py": "",
            "/app/pkg/a.py": "from . import b\nfrom .c import d\n",
            "/app/pkg/b.py": "",
            "/app/pkg/c.py": "d = 1\n",
        },
    )
    yield case(
        "import-guarded",
        {
            "/app/main.py": f"try:\n    import yaml\nexcept ImportError:\n    yaml = None\nif yaml:\n    import yaml.more\n{READY}"
        },
    )
    yield case("extension", {**main, f"{SITE}/{fast}": program("extension")})
    yield case("extension-abi3", {**main, f"{SITE}/fast.abi3.so": program("extension")})
    yield case("extension-library", {**main, f"{SITE}/{fast}": program("extension-needs"), f"{lib}/libown.so.1": own})
    yield case(
        "extension-by-hand",
        {
            "/app/main.py": f"import ctypes\nctypes.CDLL('/opt/libown.so.1')\nimport fast\n{READY}",
            f"{SITE}/{fast}": program("extension-needs"),
            "/opt/libown.so.1": own,
        },
    )
    yield case("import-missing", {"/app/main.py": f"import yaml\n{READY}"}, "no such package", gone)
    yield case(
        "import-missing-deep",
        {
            "/app/main.py": f"import a\n{READY}",
            f"{SITE}/a/__init__.py": "from . import b\n",
            f"{SITE}/a/b.py": "import c\n",
        },
        "a package of a package",
        gone,
    )
    yield case(
        "import-submodule",
        {"/app/main.py": f"import a.c\n{READY}", f"{SITE}/a/__init__.py": ""},
        "no such submodule",
        gone,
    )
    yield case(
        "import-site-packages",
        {"/app/main.py": f"import lib\n{READY}", f"/usr/lib/python{VERSION}/site-packages/lib.py": ""},
        "Debian's python reads no site-packages",
        gone,
    )
    yield case(
        "import-other-version",
        {"/app/main.py": f"import lib\n{READY}", "/usr/local/lib/python3.12/dist-packages/lib.py": ""},
        "packages for another version",
        gone,
    )
    yield case(
        "import-from-package",
        {
            "/app/main.py": f"from lib.names import thing\n{READY}",
            f"{SITE}/lib/names.py": "other = 1\n",
            f"{SITE}/lib/__init__.py": "",
        },
        "no such name in the module",
        gone,
    )
    yield case("import-unreadable", {**main, "/app/fast.py": Put("", 0o600)}, "only root may read a module", gone)
    yield case(
        "import-in-function",
        {"/app/main.py": f"def load():\n    import yaml\nload()\n{READY}"},
        "a function that runs imports it",
        gone,
    )
    yield case(
        "import-in-main",
        {"/app/main.py": f"def main():\n    import lib\nif __name__ == '__main__':\n    main()\n{READY}"},
        "the main function imports it",
        gone,
    )
    yield case(
        "import-in-main-healthy",
        {
            "/app/main.py": f"def main():\n    import lib\nif __name__ == '__main__':\n    main()\n{READY}",
            "/app/lib.py": "",
        },
    )
    yield case(
        "import-not-called",
        {"/app/main.py": f"def load():\n    import yaml\n{READY}"},
    )._replace(undecidable="a function decides")
    yield case(
        "import-by-condition",
        {"/app/main.py": f"import os\nif os.environ.get('HOME'):\n    import yaml\n{READY}"},
        "a condition imports it",
        gone,
    )._replace(undecidable="a condition decides")
    yield case(
        "import-by-made-name",
        {
            "/app/main.py": f"import importlib\nfor name in ('json', 'yaml'):\n    importlib.import_module(name)\n{READY}"
        },
        "a name made at run time",
        gone,
    )._replace(undecidable="the name is made at run time")
    yield case(
        "import-by-name",
        {"/app/main.py": f"import importlib\nimportlib.import_module('yaml')\n{READY}"},
        "imported by a text",
        gone,
    )
    yield case(
        "import-syntax-old",
        {"/app/main.py": f"import lib\n{READY}", "/app/lib.py": "print 'x'\n"},
        "syntax of Python 2",
        "syntax-not-understood",
    )
    yield case(
        "import-syntax",
        {"/app/main.py": f"import lib\n{READY}", "/app/lib.py": "type X = int\n"},
        "syntax of a newer Python",
        "syntax-not-understood",
    )
    yield case(
        "extension-missing-library",
        {**main, f"{SITE}/{fast}": program("extension-needs")},
        "a library of an extension",
        cannot,
    )
    yield case(
        "extension-elsewhere",
        {**main, f"{SITE}/{fast}": program("extension-needs"), f"{SITE}/libs/libown.so.1": own},
        "its library lies where nobody looks",
        cannot,
    )
    yield case(
        "extension-other-version",
        {**main, f"{SITE}/{fast.replace(digits, '312')}": program("extension")},
        "made for another version",
        gone,
    )
    yield case(
        "extension-other-machine",
        {**main, f"{SITE}/{fast}": program("extension", 0o644, other)},
        "made for another machine",
        cannot,
        gone,
    )
    yield case(
        "extension-musl", {**main, f"{SITE}/{fast.replace('gnu', 'musl')}": program("extension")}, "made for musl", gone
    )

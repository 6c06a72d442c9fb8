"""Images of the start bench with programs of Node.js."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping

from start_case import Case, Put, link, program
from start_programs import LOADERS, TRIPLETS

READY = 'console.log("ready");\n'
LIB = "/app/node_modules/lib"


def package(**fields: object) -> str:
    """Return a package.json."""
    return json.dumps({"name": "lib", "version": "1.0.0", **fields})


def node(arch: str) -> Iterator[Case]:
    def case(
        name: str,
        files: Mapping[str, Put | str],
        broken: str = "",
        *rules: str,
        words: str = '"server.js"',
        base: str = "node",
        lines: tuple[str, ...] = ('ENTRYPOINT ["/usr/bin/node"]',),
    ) -> Case:
        rules = rules or (("import-missing",) if broken else ())
        named = {path if path.startswith("/") else f"/app/{path}": put for path, put in files.items()}
        return Case(f"node-{name}", arch, base, named, ("WORKDIR /app", *lines, f"CMD [{words}]"), broken, rules)

    uses = {"server.js": f'const lib = require("lib");\n{READY}'}
    module = {"package.json": package(type="module")}
    lib = {f"{LIB}/package.json": package(main="lib.js"), f"{LIB}/lib.js": "exports.one = 1;\n"}
    yield case("script", {"server.js": READY})
    yield case("no-ending", {"server.js": READY}, words='"server"')
    yield case("folder", {"svc/index.js": READY}, words='"svc"')
    yield case("package", {**uses, **lib})
    yield case(
        "package-of-package", {**uses, f"{LIB}/index.js": 'require("deep");\n', "node_modules/deep/index.js": ""}
    )
    yield case("package-linked", {**uses, LIB: link(".store/lib"), "node_modules/.store/lib/index.js": ""})
    yield case(
        "local-files",
        {
            "server.js": f'require("./routes");\nrequire("./config");\n{READY}',
            "routes/index.js": "",
            "config.json": "{}",
        },
    )
    yield case("built-in", {"server.js": f'require("fs");\nrequire("node:http");\n{READY}'})
    yield case("guarded", {"server.js": f'try {{ require("optional"); }} catch {{}}\n{READY}'})
    yield case(
        "module",
        {
            "server.mjs": f'import fs from "node:fs";\nimport {{ one }} from "./lib.mjs";\n{READY}',
            "lib.mjs": "export const one = 1;\n",
        },
        words='"server.mjs"',
    )
    yield case(
        "module-by-type",
        {**module, "server.js": f'import {{ one }} from "./lib.js";\n{READY}', "lib.js": "export const one = 1;\n"},
    )
    yield case("module-of-package", {**module, "server.js": f'import lib from "lib";\n{READY}', **lib})
    yield case(
        "exports",
        {
            "server.js": f'require("lib/part");\n{READY}',
            f"{LIB}/package.json": package(exports={"./part": "./src/part.js"}),
            f"{LIB}/src/part.js": "",
        },
    )
    yield case("scoped", {"server.js": f'require("@own/lib");\n{READY}', "node_modules/@own/lib/index.js": ""})
    yield case(
        "node-path",
        {**uses, "/opt/lib/lib/index.js": ""},
        lines=("ENV NODE_PATH=/opt/lib", 'ENTRYPOINT ["/usr/bin/node"]'),
    )
    yield case("native", {"server.js": f'require("./fast.node");\n{READY}', "fast.node": program("addon")})
    yield case(
        "native-library",
        {
            "server.js": f'require("./fast.node");\n{READY}',
            "fast.node": program("addon-needs"),
            f"/usr/lib/{TRIPLETS[arch]}/libown.so.1": program("libown.so.1"),
        },
    )
    yield case("preload", {"server.js": READY, "hook.js": ""}, words='"--require", "./hook.js", "server.js"')
    yield case("script-missing", {"server.js": READY}, "no such script", "script-missing", words='"index.js"')
    yield case("script-in-dist", {"dist/server.js": READY}, "the script lies in dist", "script-missing")
    yield case(
        "script-unreadable",
        {"server.js": Put(READY, 0o600)},
        "only root may read it",
        "script-missing",
        "program-not-executable",
    )
    yield case("workdir", {"/src/server.js": READY}, "the script lies in another folder", "script-missing")
    yield case("package-missing", uses, "no such package")
    yield case(
        "package-of-package-missing", {**uses, f"{LIB}/index.js": 'require("deep");\n'}, "a package of a package"
    )
    yield case(
        "packages-elsewhere",
        {**uses, "/node_modules.old/lib/index.js": "", "/deps/node_modules/lib/index.js": ""},
        "node_modules in another folder",
    )
    yield case("package-link-broken", {**uses, LIB: link("../../.store/lib")}, "a link that leads to nothing")
    yield case("package-empty", {**uses, f"{LIB}/package.json": package(main="dist/lib.js")}, "its main was not built")
    yield case(
        "package-unreadable",
        {**uses, f"{LIB}/": Put(folder=True, mode=0o700), f"{LIB}/index.js": ""},
        "only root may read a package",
    )
    yield case("file-missing", {"server.js": f'require("./routes");\n{READY}'}, "a file was not copied")
    yield case(
        "file-case", {"server.js": f'require("./Routes");\n{READY}', "routes.js": ""}, "another spelling of the name"
    )
    yield case(
        "file-typescript", {"server.js": f'require("./routes");\n{READY}', "routes.ts": ""}, "the file was not compiled"
    )
    yield case(
        "file-json", {"server.js": f'require("./config.json");\n{READY}', "config.json": "{"}, "a broken JSON file"
    )
    yield case(
        "module-no-ending",
        {**module, "server.js": f'import {{ one }} from "./lib";\n{READY}', "lib.js": "export const one = 1;\n"},
        "an import without an ending",
    )
    yield case(
        "module-folder",
        {**module, "server.js": f'import "./lib";\n{READY}', "lib/index.js": ""},
        "an import of a folder",
    )
    yield case(
        "module-package-missing",
        {**module, "server.js": f'import lib from "lib";\n{READY}'},
        "no such package, imported",
    )
    yield case(
        "module-name-missing",
        {**module, "server.js": f'import {{ two }} from "./lib.js";\n{READY}', "lib.js": "export const one = 1;\n"},
        "no such name in the module",
    )
    yield case(
        "module-not-said",
        {"server.js": f'import fs from "fs";\n{READY}'},
        "import in a file that is no module",
        "import-missing",
        "syntax-not-understood",
    )
    yield case(
        "require-in-module",
        {**module, "server.js": f'const fs = require("fs");\n{READY}'},
        "require in a module",
        "import-missing",
        "syntax-not-understood",
    )
    yield case(
        "exports-closed",
        {
            "server.js": f'require("lib/part");\n{READY}',
            f"{LIB}/package.json": package(exports="./lib.js"),
            f"{LIB}/lib.js": "",
            f"{LIB}/part.js": "",
        },
        "a path that exports does not have",
    )
    yield case(
        "native-missing",
        {"server.js": f'require("./build/Release/fast.node");\n{READY}'},
        "the native part was not copied",
    )
    yield case(
        "native-library-missing",
        {"server.js": f'require("./fast.node");\n{READY}', "fast.node": program("addon-needs")},
        "a library of the native part",
        "import-missing",
        "extension-cannot-load",
    )
    yield case(
        "native-other-machine",
        {
            "server.js": f'require("./fast.node");\n{READY}',
            "fast.node": program("addon", 0o644, next(one for one in LOADERS if one != arch)),
        },
        "the native part for another machine",
        "import-missing",
        "extension-cannot-load",
    )
    yield case(
        "preload-missing",
        {"server.js": READY},
        "a preload that is not there",
        "import-missing",
        "script-missing",
        words='"--require", "./hook.js", "server.js"',
    )
    yield case(
        "doubled",
        {"server.js": READY},
        "the interpreter doubles",
        "interpreter-doubled",
        "script-missing",
        words='"node", "server.js"',
    )
    yield case(
        "npm-start",
        {"server.js": READY, "package.json": package(scripts={"start": "node server.js"})},
        "there is no npm",
        "command-program-missing",
        words='"npm", "start"',
        lines=(),
    )
    yield case(
        "shebang-env",
        {"server.js": Put(f"#!/usr/bin/env node\n{READY}")},
        "there is no env",
        "program-interpreter-missing",
        words='"/app/server.js"',
        lines=(),
    )
    yield case("not-there", {"server.js": READY}, "the base has no Node.js", "command-program-missing", base="cc")
    yield case(
        "in-function",
        {"server.js": f'function load() {{ require("yaml"); }}\nload();\n{READY}'},
        "a function requires it",
    )._replace(undecidable="a function decides")
    yield case(
        "by-condition", {"server.js": f'if (process.env.PATH) require("yaml");\n{READY}'}, "a condition requires it"
    )._replace(undecidable="a condition decides")

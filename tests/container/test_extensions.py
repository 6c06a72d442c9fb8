"""What the extension modules of a program lack, told apart from what its interpreter lacks."""

from __future__ import annotations

from lucid_audit.container.extensions import Extensions, extensions
from lucid_audit.container.launch import Interpreter, launch
from tests.image_sketch import image


def test_an_interpreter_that_lacks_a_library_and_loads_no_extension() -> None:
    """Its own lack is told by the rules for programs; here there is nothing to load."""
    node = "/usr/bin/node"
    there = {node: {"elf": "amd64", "mode": "0755", "needed": ["libnode.so.108"]}, "/app/main.js": ""}
    config = {"WorkingDir": "/app"}
    container = image({"platform": "linux/amd64", "config": config, "layers": [{"files": there}]}).container
    assert launch(container, (node, "main.js")).interpreter is not None
    interpreter = Interpreter("node", node, node, (node, "main.js"))
    assert extensions(container, interpreter) == Extensions((), (), ())

"""Subjects around images from the sketches in rule examples: a compose file with a Dockerfile, or files that build.

compose: the text of a compose file, in which every service without a ``build`` has the image of the Dockerfile
dockerfile: its text

repository: {path: text}          # on disk: which folders there are decides what a command builds
plan: [{name, image, dockerfile, context, platforms}]
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from contextlib import chdir
from pathlib import Path
from typing import Any

from lucid_audit import audit
from lucid_audit.around.call import BuildCall
from lucid_audit.around.service import Deployment, deploy
from lucid_audit.builders.builder import Trouble
from lucid_audit.builders.deployed import deployed
from lucid_audit.fleet.around import Builds, calls, deployments
from lucid_audit.fleet.evidence import survey
from lucid_audit.fleet.plan import Plan, Service
from tests.sketch import AS_OF, sketch


def surrounded(subject: Mapping[str, Any]) -> list[Deployment | BuildCall]:
    """Return the subjects of an example."""
    with tempfile.TemporaryDirectory() as folder, chdir(folder):
        root = Path(folder).resolve()
        files = subject.get("repository", {"compose.yaml": subject.get("compose", "")})
        for name, text in files.items():
            path = root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, "utf-8")
        if "compose" in subject:
            services = deployed(str(root / "compose.yaml"), str(root))
            assert not isinstance(services, Trouble)
            own = sketch(subject["dockerfile"]).container
            return [deploy(one, own) for one in services]
        values: list[dict[str, Any]] = [
            {key: tuple(v) if isinstance(v, list) else v for key, v in one.items()} for one in subject.get("plan", ())
        ]
        plan = Plan(str(root / "lucid-plan.yaml"), str(root), tuple(Service(**one) for one in values))
        builds, found = Builds(audit.Request((), AS_OF)), survey(str(root))
        return [*calls(found, plan, builds), *deployments(found, plan, builds, None)]

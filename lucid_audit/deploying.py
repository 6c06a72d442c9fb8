"""Compose files that are named to be linted: each service whose image is built here, with the container that its build predicts."""

from __future__ import annotations

import os
from collections.abc import Sequence

from lucid_audit.around.service import Deployed, Deployment, deploy
from lucid_audit.builders.builder import Builder, Trouble
from lucid_audit.builders.compose import MAIN
from lucid_audit.builders.deployed import deployed
from lucid_audit.builders.folder import declared
from lucid_audit.container.config import Container
from lucid_audit.dockerfile.build import Build
from lucid_audit.dockerfile.parser import parse
from lucid_audit.dockerfile.stages import Settings
from lucid_audit.engine.around import judge as judge_around
from lucid_audit.finding import Location, Problem, SubjectReport
from lucid_audit.items import Item, content
from lucid_audit.plans import settings_of
from lucid_audit.record import replace
from lucid_audit.rules import ActiveRule
from lucid_audit.surroundings import Surroundings
from lucid_audit.text import SourceText


def judge(name: str, rules: Sequence[ActiveRule], settings: Settings, places: Surroundings) -> SubjectReport:
    """Judge one compose file. A service whose image is not built here is left alone.

    Raises:
        InternalError: a check crashed; the message names the rule and the file.

    """
    path = os.path.abspath(name)
    folder, file = os.path.split(path)
    root = places.root(folder) or folder
    services = deployed(path, root)
    if isinstance(services, Trouble):
        return SubjectReport("compose", name, problems=(Problem(services.reason, Location(name)),))
    main = [one for one in MAIN if one != file and os.path.isfile(os.path.join(folder, one))][
        :1
    ]  # what it may be laid over
    builders = {one.name: one for one in declared(folder, [file, *main], root)[0] if one.file == path}
    subjects = [_deployment(name, one, builders.get(one.name), settings, places) for one in services]
    reports = judge_around(subjects, rules)
    return reports[0] if reports else SubjectReport("compose", name)


def _deployment(
    name: str, service: Deployed, builder: Builder | None, settings: Settings, places: Surroundings
) -> Deployment:
    shown = replace(service, source=SourceText(name, service.source.text))
    return deploy(shown, _container(builder, settings, places) if builder is not None else None)


def _container(builder: Builder, settings: Settings, places: Surroundings) -> Container | None:
    """Return the container of a service's build, None when its Dockerfile is not there or does not build."""
    name = os.path.relpath(builder.dockerfile)
    problem, data = content(Item(name))
    if problem:
        return None
    dockerfile = parse(SourceText.decode(name, data))
    if dockerfile.problems:
        return None
    return Build(dockerfile, settings_of(settings, builder), places.contexts(name, builder)[0]).container

"""Compose files that are named to be linted: each service whose image is built here, with the container that its build predicts.

Of the compose and bake files of a searched folder only what they build and is not there.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Sequence

from lucid_audit.around.call import Absent, BuildCall
from lucid_audit.around.service import Deployed, Deployment, deploy
from lucid_audit.builders import absent
from lucid_audit.builders.builder import Builder, Trouble
from lucid_audit.builders.compose import MAIN
from lucid_audit.builders.deployed import deployed
from lucid_audit.builders.folder import declared
from lucid_audit.container.config import Container
from lucid_audit.dockerfile.build import Build
from lucid_audit.dockerfile.parser import parse
from lucid_audit.dockerfile.stages import Settings
from lucid_audit.engine.around import Listening
from lucid_audit.engine.around import judge as judge_around
from lucid_audit.finding import Location, Problem, SubjectReport
from lucid_audit.items import Item, content
from lucid_audit.plans import settings_of
from lucid_audit.record import replace
from lucid_audit.rules import ActiveRule
from lucid_audit.surroundings import Surroundings
from lucid_audit.text import SourceText


def judge(
    name: str,
    rules: Sequence[ActiveRule],
    settings: Settings,
    places: Surroundings,
    listens: bool,
    known: frozenset[str],
) -> SubjectReport:
    """Judge one compose file. A service whose image is not built here is left alone.

    ``listens``: comments silence findings. ``known`` are the ids of all rules.

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
    declarations, troubles = declared(folder, [file, *main], root)
    builders = {one.name: one for one in declarations if one.file == path}
    lost = absent.services(declarations, troubles, root)
    subjects = [
        _deployment(name, one, builders.get(one.name), lost.get((path, one.name)), settings, places) for one in services
    ]
    reports = judge_around(subjects, rules, Listening(listens, known=known))
    return reports[0] if reports else SubjectReport("compose", name)


def _deployment(
    name: str, service: Deployed, builder: Builder | None, lost: Absent | None, settings: Settings, places: Surroundings
) -> Deployment:
    shown = replace(service, source=SourceText(name, service.source.text))
    return deploy(shown, _container(builder, settings, places) if builder is not None else None, absent=lost)


def lacking(places: Surroundings, named: Collection[str]) -> tuple[Deployment | BuildCall, ...]:
    """Return the builds that the compose and bake files of searched folders declare and that lack context or Dockerfile.

    ``named`` are the absolute paths of files that are judged as a whole.
    """
    found: list[Deployment | BuildCall] = []
    for root, (builders, troubles) in places.lost().items():
        lost = absent.services(builders, troubles, root)
        for file in dict.fromkeys(file for file, _ in lost if file not in named):
            services = deployed(file, root)
            for one in () if isinstance(services, Trouble) else services:
                if (file, one.name) in lost:
                    shown = replace(one, source=SourceText(os.path.relpath(file), one.source.text))
                    found.append(Deployment(shown, absent=lost[file, one.name]))
        found += absent.targets(builders, troubles, root)
    return tuple(found)


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

"""How Java starts real jars, against Java itself: packages of Debian, whole and with each jar of a class path taken away.

What we call an error Java must refuse before the program's first instruction. What Java refuses and we do not name is counted: it links
the main class, which may need more than its superclasses.
"""

from __future__ import annotations

import io
import os
import re
import shutil
import subprocess
import tarfile
import zipfile
from pathlib import Path
from typing import NamedTuple

import pytest

from lucid_audit.container.class_file import read_class
from lucid_audit.container.jar import attributes
from lucid_audit.container.launch import launch
from lucid_audit.image.layer import Layer
from tests.containers import container
from tests.e2e import debs
from tests.elf import elf
from tests.image_sketch import layer

pytestmark = pytest.mark.e2e

PACKAGES = (
    "ant", "antlr4", "bsh", "junit4", "libantlr-java", "libantlr4-runtime-java", "libasm-java", "libbcel-java", "libbatik-java",
    "libcommons-cli-java", "libcommons-io-java", "libcommons-logging-java", "libfop-java", "libhamcrest-java", "libhsqldb-java",
    "libpdfbox-java", "libsaxon-java", "libsaxonb-java", "libstringtemplate4-java", "libxalan2-java", "libxerces2-java",
    "libxml-commons-external-java", "libxml-commons-resolver1.1-java", "libxmlgraphics-commons-java", "rhino", "velocity", "libfontbox-java",
    "libtreelayout-java", "libjavacc-maven-plugin-java", "javacc", "proguard-cli", "libproguard-java", "checkstyle", "libpicocli-java",
)  # fmt: skip
JAVA = "/usr/lib/jvm/java/bin/java"
TRIED = 2  # jars at least whose main class extends something of its own
REFUSED = re.compile(
    r"Could not find or load main class|no main manifest attribute|Unable to initialize main class|UnsupportedClassVersionError"
    r"|Invalid or corrupt jarfile"
)


class System(NamedTuple):
    root: Path
    base: Layer
    jars: list[str]  # those that name a main class


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory) -> System:
    java = shutil.which("java")
    if java is None:
        pytest.skip("needs java")
    release = Path(os.path.realpath(java)).parent.parent / "release"
    tar = io.BytesIO()
    with tarfile.open(fileobj=tar, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for path, data, mode in (
            (JAVA, elf("amd64"), 0o755),
            ("/usr/lib/jvm/java/release", release.read_bytes(), 0o644),
        ):
            info = tarfile.TarInfo(path.strip("/"))
            info.size, info.mode = len(data), mode
            archive.addfile(info, io.BytesIO(data))
        for deb in debs.fetch(PACKAGES, "amd64"):
            for info, data in debs.members(deb):
                info.name = info.name.removeprefix("./")
                if "/share/java/" in info.name and (info.isreg() or info.issym()):
                    archive.addfile(info, io.BytesIO(data))
    root = tmp_path_factory.mktemp("java")
    tar.seek(0)
    with tarfile.open(fileobj=tar) as archive:
        archive.extractall(root, filter="fully_trusted")
    base, _ = layer({}, tar=tar.getvalue())
    jars = [
        path
        for path in sorted((root / "usr/share/java").glob("*.jar"))
        if not path.is_symlink() and "main-class" in _main(path)
    ]
    return System(root, base, [f"/{path.relative_to(root)}" for path in jars])


def _main(path: Path) -> dict[str, str]:
    with zipfile.ZipFile(path) as archive:
        return attributes(archive.read("META-INF/MANIFEST.MF")) if "META-INF/MANIFEST.MF" in archive.namelist() else {}


def _ours(system: System, jar: str, gone: list[str]) -> str:
    """Say why a jar does not start, "" when nothing is known against it."""
    chain = launch(container(system.base, gone), (JAVA, "-jar", jar))
    assert chain.end is None or chain.end.kind == "class", chain.end
    return chain.end.words if chain.end is not None else ""


def _theirs(system: System, jar: str) -> str:
    """Return Java's refusal, "" when the program began to run."""
    path = str(system.root / jar.lstrip("/"))
    try:
        done = subprocess.run(
            ["java", "-Djava.awt.headless=true", "-Xshare:auto", "-jar", path, "--help"], capture_output=True, check=False,
            stdin=subprocess.DEVNULL, timeout=15, cwd=system.root,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return ""
    text = done.stderr.decode("utf-8", "replace")
    return text if REFUSED.search(text) else ""


def _needs(system: System, jar: str) -> list[str]:
    """Return the jars of a manifest's class path that are there."""
    path = system.root / jar.lstrip("/")
    written = (path.parent / one for one in _main(path).get("class-path", "").split())
    return sorted(
        {f"/{one.relative_to(system.root)}" for one in written if one.is_file() and not one.name.startswith("..")}
    )


def test_java_agrees(system: System) -> None:
    assert len(system.jars) > 15
    named = missed = began = 0
    for jar in system.jars:
        for gone in ([], *([need] for need in _needs(system, jar))):
            aside = [(system.root / one.lstrip("/"), system.root / f"aside{number}") for number, one in enumerate(gone)]
            for here, away in aside:
                here.rename(away)
            try:
                ours, theirs = _ours(system, jar, gone), _theirs(system, jar)
            finally:
                for here, away in aside:
                    away.rename(here)
            assert theirs or not ours, (jar, gone, ours)
            named, missed, began = named + bool(ours), missed + bool(theirs and not ours), began + (not theirs)
    print(f"{len(system.jars)} jars: {named} refused and named, {missed} refused and not named, {began} began")
    assert named
    assert began > len(system.jars) // 2


def test_what_a_main_class_extends_is_taken_away(system: System) -> None:
    """Java itself says which superclass or interface it lacks when that class is taken out of a jar."""
    tried = 0
    for jar in system.jars:
        path = system.root / jar.lstrip("/")
        with zipfile.ZipFile(path) as archive:
            main = _main(path)["main-class"]
            inside = f"{main.replace('.', '/')}.class"
            read = read_class(archive.read(inside)) if inside in archive.namelist() else None
            names = [f"{one.replace('.', '/')}.class" for one in (read.above if read is not None else ())]
            for gone in set(names) & set(archive.namelist()):
                made = _without(archive, gone)
                place = path.with_name("without.jar")
                place.write_bytes(made)
                own = f"/usr/share/java/{place.name}"
                chain = launch(container(system.base, files={own: {"bytes": made}}), (JAVA, "-jar", own))
                theirs = _theirs(system, own)
                place.unlink()
                assert chain.end is not None, (jar, gone, theirs)
                assert gone.removesuffix(".class").replace("/", ".") in chain.end.words
                assert f"NoClassDefFoundError: {gone.removesuffix('.class')}" in theirs, jar
                tried += 1
    assert tried >= TRIED


def _without(archive: zipfile.ZipFile, gone: str) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as made:
        for info in archive.infolist():
            if info.filename != gone:
                made.writestr(info.filename, archive.read(info))
    return packed.getvalue()

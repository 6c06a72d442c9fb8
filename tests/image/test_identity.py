"""Which base an image is said to stand on, and how sure that is."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

import jsonschema
import pytest

from lucid_audit.catalogue import fingerprints as shipped
from lucid_audit.catalogue import schema
from lucid_audit.checks import AUDIT
from lucid_audit.engine.image import judge
from lucid_audit.finding import Finding
from lucid_audit.image.fingerprints import read_fingerprints
from lucid_audit.image.image import Image
from lucid_audit.policy import Policy, select
from lucid_audit.ruleset import load
from tests.e2e import constant
from tests.e2e.tars import sha256
from tests.image_bases import FAMILIES, old
from tests.image_sketch import image, publication

APP = {"created_by": "COPY app /app", "files": {"/app/main.py": "print(1)\n"}}
DISTROLESS = 'PRETTY_NAME="Distroless"\nID="debian"\nVERSION_ID="13"\n'
SHELL = {"elf": "arm64", "contains": ["GNU bash, version", "OPTIND", "getopts", "OLDPWD"]}
PROFILES = ("recommended", "strict", "lucid", "lucid-overlay")


def of(*layers: dict[str, Any], **more: Any) -> Image:
    return image({"layers": list(layers), **more})


def record(name: str, files: dict[str, Any], created_by: str = "") -> dict[str, Any]:
    return {"created_by": created_by, "files": {**files, f"/var/lib/dpkg/status.d/{name}": f"Package: {name}\n"}}


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("release", ["debian12", "debian13"])
@pytest.mark.parametrize("tag", ["latest", "debug", "lines", "old", "debug-lines"])
def test_by_its_layers(family: str, release: str, tag: str) -> None:
    found = of(APP, base=f"{family}-{release}:{tag}")
    identity = found.identity
    assert (identity.tier, identity.release, identity.debug) == ("layers", release, "debug" in tag)
    assert identity.distroless
    assert identity.layers == len(found.layers) - 1
    assert found.own(identity.layers)
    assert not found.own(identity.layers - 1)
    assert (identity.replaced_on is not None) == (tag == "old")
    if family.startswith("nodejs") and "lines" not in tag:  # no file says which Node.js it is
        assert (identity.ref, identity.base, identity.family) == (None, None, "distroless nodejs")
        return
    assert identity.ref is not None
    assert identity.ref.repository == f"distroless/{family}-{release}"
    assert identity.base is not None
    assert identity.base.distroless


def test_constant_layers_are_the_published_ones() -> None:
    known = read_fingerprints(shipped()).layers
    for release in ("12", "13"):
        for name in constant.names(release):
            if name != "nsswitch":
                layer = name.partition("_debian")[0]
                assert known[sha256(constant.archive(name))].layer == layer
                assert known[sha256(constant.archive(name))].until is None
                assert known[sha256(old(name))].layer == layer


def test_fingerprints_follow_the_schema() -> None:
    data = shipped()
    jsonschema.Draft202012Validator(schema("fingerprints")).validate(data)
    assert json.loads(json.dumps(data)) == data
    order = data["distroless"]["order"]
    days: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for one in data["distroless"]["layers"]:
        assert one["layer"] in order
        days.setdefault((one["layer"], one.get("release", "")), []).append(one)
    for versions in days.values():
        assert [one.get("until") for one in versions] == [*(one["since"] for one in versions[1:]), None]


@pytest.mark.parametrize("line", ["COPY helper /", "RUN /bin/sh -c make", ""])
def test_a_package_of_somebody_elses_is_not_the_bases(line: str) -> None:
    added = record("bash", {"/usr/bin/bash": SHELL}, line)
    found = of(added, APP, base="base-debian13")
    assert found.identity.layers == len(found.layers) - 2


def test_a_shell_is_no_package_of_the_base_whatever_its_record_says() -> None:
    added = record("libssl3", {"/usr/bin/x": SHELL})
    found = of(added, APP, base="base-debian13")
    assert found.identity.layers == len(found.layers) - 2


def test_a_package_of_the_base_that_was_copied_again_is_not_the_bases() -> None:
    found = of(record("libssl3", {"/usr/lib/libssl.so.3": "x"}, "COPY --from=debs / /"), base="static-debian13")
    assert found.identity.layers == len(found.layers) - 1
    assert found.identity.ref is not None
    assert found.identity.ref.repository == "distroless/static-debian13"


def test_several_packages_in_a_layer_are_not_the_bases() -> None:
    files = {f"/var/lib/dpkg/status.d/{name}": "Package: x\n" for name in ("libc6", "libssl3t64")}
    found = of({"files": files}, base="static-debian13")
    assert found.identity.layers == len(found.layers) - 1


def test_a_package_that_is_not_known_counts_below_one_that_is() -> None:
    new, known = record("libnew1", {"/usr/lib/libnew.so": "x"}), record("libgomp1", {"/usr/lib/libgomp.so": "x"})
    assert of(new, known, APP, base="base-debian13").identity.layers == of(base="base-debian13").identity.layers + 2
    assert of(new, APP, base="base-debian13").identity.layers == of(base="base-debian13").identity.layers


def test_a_copied_interpreter_is_not_the_bases() -> None:
    node = {"created_by": "COPY --from=node /usr/local/bin/node /nodejs/bin/", "files": {"/nodejs/bin/node": "x"}}
    identity = of(node, base="cc-debian13").identity
    assert identity.ref is not None
    assert identity.ref.repository == "distroless/cc-debian13"


@pytest.mark.parametrize(
    ("label", "files", "base", "repository"),
    [
        ("@python314_arm64//:data", {"/python/bin/python3.14": "x", "/python/lib/x.py": ""}, "cc", "python3.14"),
        ("@@+node+nodejs26_arm64//:data", {"/nodejs/bin/node": "x"}, "cc", "nodejs26"),
        ("@bun_arm64//:data", {"/bun/bun": "x"}, "base-nossl", "bun"),
    ],
)
def test_runtimes_that_are_no_packages(label: str, files: dict[str, Any], base: str, repository: str) -> None:
    runtime = {"created_by": f"bazel build {label}", "files": files}
    found = of(runtime, APP, base=f"{base}-debian13:lines")
    assert found.identity.layers == len(found.layers) - 1
    assert found.identity.ref is not None
    assert found.identity.ref.repository == f"distroless/{repository}-debian13"


@pytest.mark.parametrize("line", ["@trixie//libc6/arm64:data_statusd", "@@apt~trixie//libc6/arm64:data_statusd"])
def test_the_release_is_told_by_a_line(line: str) -> None:
    files = {"/usr/lib/os-release": 'PRETTY_NAME="Distroless"\n'}
    identity = of({"files": files}, history=[{"created_by": f"bazel build {line}"}]).identity
    assert (identity.tier, identity.release) == ("history", "debian13")


def test_a_layer_that_only_looks_like_busybox_is_not_the_bases() -> None:
    fake = {"files": {"/busybox/busybox": {"elf": "arm64", "contains": ["BusyBox v1"]}}}
    found = of(fake, base="base-debian13")
    assert found.identity.layers == len(found.layers) - 1
    assert found.identity.debug is False


def test_nonroot_is_told_by_the_user() -> None:
    for user, tag in (("65532", "nonroot"), ("65532:65532", "nonroot"), ("0", "latest"), ("", "latest")):
        base = of(APP, base="static-debian13", config={"User": user}).identity.base
        assert base is not None
        assert base.ref.tag == tag


@pytest.mark.parametrize("family", FAMILIES)
def test_a_newer_one_is_named_and_not_confirmed(family: str) -> None:
    found = of(APP, base=f"{family}-debian13:future")
    identity = found.identity
    assert (identity.tier, identity.release, identity.claims) == ("history", "debian13", "")
    assert identity.ref is not None
    assert identity.ref.repository == f"distroless/{family}-debian13"
    assert identity.layers == len(found.layers) - 1


def test_a_newer_one_without_lines_is_told_by_its_files() -> None:
    records = [record(f"p{n}", {}) for n in range(5)]
    identity = of(*records, {"files": {"/usr/lib/os-release": DISTROLESS}}).identity
    assert (identity.tier, identity.claims) == ("files", "")


def test_lines_of_others_who_use_bazel_say_nothing() -> None:
    history = [{"created_by": "bazel build //service:layer"}]
    assert of(APP, history=history).identity.family == "scratch"


def test_forged_lines_are_a_claim() -> None:
    history = [{"created_by": "bazel build //common:rootfs"}]
    identity = of({"files": {"/etc/os-release": "ID=alpine\n"}}, history=history).identity
    assert (identity.tier, identity.base, identity.distroless) == ("none", None, None)
    assert "history" in identity.claims


def test_flattened_is_named_and_claimed() -> None:
    identity = of(APP, base="python3-debian13:flattened").identity
    assert (identity.tier, identity.layers) == ("files", 0)
    assert identity.ref is not None
    assert identity.ref.repository == "distroless/python3-debian13"
    assert "flattened" in identity.claims


def test_what_only_claims_to_be_one() -> None:
    identity = of({"files": {"/usr/lib/os-release": DISTROLESS, "/bin/sh": {"elf": "arm64"}}}).identity
    assert (identity.tier, identity.base, identity.distroless) == ("none", None, None)
    assert "Distroless" in identity.claims
    files = {"/usr/lib/os-release": DISTROLESS, "/var/lib/dpkg/status": ""}
    assert "/var/lib/dpkg/status" in of({"files": files}).identity.claims


SH: dict[str, Any] = {"/usr/bin/sh": {"elf": "arm64"}}


@pytest.mark.parametrize(
    ("release", "files", "family", "ref", "distroless"),
    [
        ("ID=wolfi\nVERSION_ID=20230201\n", {}, "Chainguard 20230201", None, True),
        ("ID=chainguard\n", {"/bin/busybox": {"elf": "arm64"}}, "Chainguard", None, False),
        ("ID=ubuntu\nVERSION_ID=24.04\n", {}, "chiselled Ubuntu 24.04", None, True),
        ("ID=ubuntu\nVERSION_ID=24.04\n", {"/var/lib/dpkg/status": "", **SH}, "Ubuntu 24.04", "ubuntu:24.04", False),
        ("ID=alpine\nVERSION_ID=3.20.3\n", SH, "Alpine 3.20.3", "alpine:3.20", False),
        ('ID=debian\nVERSION_ID="12"\n', SH, "Debian 12", "debian:12", False),
        ('ID=debian\nVERSION_ID="12"\n', {}, "Debian 12", None, None),  # built otherwise: nobody knows from what
        ("ID=debian\n", SH, "Debian", None, False),
        ('ID="rhel"\nVERSION_ID="9.4"\n', SH, "Red Hat 9.4", None, False),
        ("ID=azurelinux\nVERSION_ID=3.0\n", SH, "Azure Linux 3.0", None, False),
        (
            "ID=azurelinux\nVERSION_ID=3.0\n",
            {"/var/lib/rpmmanifest/container-manifest-2": ""},
            "Azure Linux distroless 3.0",
            None,
            True,
        ),
        ("ID=something\n", {}, "something", None, None),
    ],
)
def test_others_by_os_release(
    release: str, files: dict[str, Any], family: str, ref: str | None, distroless: bool | None
) -> None:
    identity = of({"files": {"/etc/os-release": release, **files}}).identity
    assert (identity.family, identity.tier, identity.distroless) == (family, "files", distroless)
    assert (identity.ref.familiar if identity.ref is not None else None) == ref


def test_nothing_but_the_service_is_scratch() -> None:
    identity = of({"files": {"/server": {"elf": "arm64"}}}).identity
    assert (identity.family, identity.tier, identity.distroless) == ("scratch", "files", True)


@pytest.mark.parametrize("path", ["/bin/sh", "/bin/busybox", "/usr/lib/apk/db/installed", "/var/lib/dpkg/status"])
def test_without_os_release_a_shell_or_packages_are_no_scratch(path: str) -> None:
    identity = of({"files": {path: "x"}}).identity
    assert (identity.family, identity.tier, identity.distroless) == ("", "none", None)


ENV = ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt"]  # fmt: skip
STARTS = {"python": ["/usr/bin/python3"], "nodejs": ["/nodejs/bin/node"], "java21": ["/usr/bin/java", "-jar"]}
# There is no service in it: nothing to start, no house rules kept, and python3 on Debian 12 is no longer made.
NO_SERVICE = {"command-missing", "health-check-missing", "labels-missing", "environment-unset", "expose-missing",
              "workdir-unexpected", "final-user-unexpected", "command-unexpected", "entrypoint-unexpected"}  # fmt: skip


def findings(base: str, profile: str) -> list[Finding]:
    found = load("", "/")
    rules = select(found.rules, found.profiles, Policy(), profile=profile, subjects=AUDIT)
    config = {"User": "65532:65532", "Env": ENV, "WorkingDir": "/home/nonroot", "Entrypoint": STARTS.get(base[:6])}
    reports = judge(publication({"base": base, "config": config}, date(2026, 1, 25)), rules)
    return [one for report in reports for one in report.findings if one.rule not in NO_SERVICE]


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize("tag", ["latest", "lines", "future"])
@pytest.mark.parametrize("release", ["debian12", "debian13"])
def test_an_unmodified_base_has_no_fault(release: str, tag: str, profile: str) -> None:
    for family in FAMILIES:
        shown = {
            (one.rule, one.location.path or one.location.field)
            for one in findings(f"{family}-{release}:{tag}", profile)
        }
        near = {("image-base-near-end-of-life", "rootfs.diff_ids")} if release == "debian12" else set()
        assert shown <= near, family


@pytest.mark.parametrize("family", FAMILIES)
def test_a_debug_base_is_one_finding(family: str) -> None:
    shown = {(one.rule, str(one.severity)) for one in findings(f"{family}-debian13:debug-lines", "strict")}
    assert {rule for rule, _ in shown} == {"final-base-debug"}

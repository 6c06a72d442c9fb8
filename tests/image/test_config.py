"""Manifests, configurations and histories: read strictly, and never more than an input error."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lucid_audit.errors import InputError
from lucid_audit.image.config import Step, read_config
from lucid_audit.image.descriptor import Platform, parse_platform, sha256
from lucid_audit.image.history import instruction, made_by
from lucid_audit.image.manifest import (
    DOCKER_LIST,
    DOCKER_MANIFEST,
    OCI_CONFIG,
    OCI_INDEX,
    OCI_MANIFEST,
    Fetched,
    Index,
    Manifest,
    is_attestation,
    read,
)

DIGEST = sha256(b"x")
POINTER = {"mediaType": OCI_CONFIG, "digest": DIGEST, "size": 1}
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
FIELDS = ("mediaType", "schemaVersion", "config", "layers", "manifests", "digest", "size", "platform", "annotations",
          "rootfs", "diff_ids", "history", "os", "Healthcheck", "Test", "Env", "Labels", "Entrypoint", "urls")  # fmt: skip


def fetched(document: Any, media_type: str = "") -> Fetched:
    return Fetched(json.dumps(document).encode(), media_type, DIGEST)


def test_kinds() -> None:
    manifest = {"schemaVersion": 2, "config": POINTER, "layers": [POINTER]}
    for media_type in (OCI_MANIFEST, DOCKER_MANIFEST):
        found = read(fetched({**manifest, "mediaType": media_type}))
        assert isinstance(found, Manifest)
        assert found.is_image
    for media_type in (OCI_INDEX, DOCKER_LIST):
        assert isinstance(read(fetched({"schemaVersion": 2, "manifests": [POINTER]}, media_type)), Index)
    assert isinstance(read(fetched(manifest)), Manifest)
    assert isinstance(read(fetched(manifest, "application/json; charset=utf-8")), Manifest)


@pytest.mark.parametrize(
    ("document", "media_type", "what"),
    [
        ({"schemaVersion": 1, "fsLayers": []}, "", "schema 1"),
        ({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": []}, OCI_MANIFEST, "delivered as"),
        ({"schemaVersion": 2, "config": POINTER, "layers": [], "manifests": []}, OCI_MANIFEST, "at once"),
        ({"schemaVersion": 2, "config": {**POINTER, "digest": "sha256:../x"}, "layers": []}, "", "cannot be verified"),
        ({"schemaVersion": 2, "config": {**POINTER, "size": -1}, "layers": []}, "", "size"),
        ({"schemaVersion": 2, "config": POINTER, "layers": [POINTER] * 1001}, "", "more than"),
        ({"schemaVersion": 2, "mediaType": "application/x"}, "", "not an image"),
        ([], "", "not a JSON object"),
    ],
)
def test_manifests_that_are_refused(document: Any, media_type: str, what: str) -> None:
    with pytest.raises(InputError, match=what):
        read(fetched(document, media_type))


@given(st.dictionaries(st.sampled_from(FIELDS), JSON, max_size=6))
def test_no_document_breaks_the_readers(document: dict[str, Any]) -> None:
    for whole in (document, {"schemaVersion": 2, **document}, {"rootfs": {"diff_ids": [DIGEST]}, "config": document}):
        for reader in (lambda data: read(Fetched(data, "", DIGEST)), read_config):
            try:
                reader(json.dumps(whole).encode())
            except InputError as error:
                assert "\n" not in str(error)  # noqa: PT017  (either way is right; anything else is not)


def test_nesting_without_end_is_no_json() -> None:
    with pytest.raises(InputError):
        read(Fetched(b'{"a":' * 100_000, "", DIGEST))


def test_attestations_in_both_forms() -> None:
    entries = [
        {**POINTER, "platform": {"os": "unknown", "architecture": "unknown"}},
        {**POINTER, "annotations": {"vnd.docker.reference.type": "attestation-manifest"}},
        {**POINTER, "artifactType": "application/vnd.docker.attestation.manifest.v1+json"},
        {**POINTER, "platform": {"os": "linux", "architecture": "arm64", "variant": "v8"}},
    ]
    index = read(fetched({"schemaVersion": 2, "manifests": entries}, OCI_INDEX))
    assert isinstance(index, Index)
    assert [is_attestation(entry) for entry in index.manifests] == [True, True, True, False]


def test_platforms() -> None:
    arm = Platform("linux", "arm64")
    for text in ("linux/arm64", "linux/arm64/v8", "linux/aarch64", "linux/arm64/8"):
        found = parse_platform(text)
        assert found is not None
        assert found.matches(arm)
    assert not Platform("linux", "arm", "v6").matches(Platform("linux", "arm"))
    assert Platform("linux", "arm", "v7").matches(Platform("linux", "arm"))
    assert parse_platform("arm64") is None
    assert parse_platform("linux/arm64/v8/x") is None


@pytest.mark.parametrize(
    ("line", "keyword", "arguments"),
    [
        ("USER 65532:65532", "USER", "65532:65532"),
        ("/bin/sh -c #(nop)  USER 65532", "USER", "65532"),
        ('/bin/sh -c #(nop) CMD ["a"]', "CMD", '["a"]'),
        ("COPY app /app # buildkit", "COPY", "app /app"),
        ("RUN /bin/sh -c make # buildkit", "RUN", "/bin/sh -c make"),
        ("/bin/sh -c apt-get update", "RUN", "apt-get update"),
        ("|1 V=2 /bin/sh -c make", "RUN", "make"),
        ("bazel build //common:rootfs", "", "bazel build //common:rootfs"),
        ("", "", ""),
    ],
)
def test_lines_of_the_history(line: str, keyword: str, arguments: str) -> None:
    assert instruction(Step("", line, empty=False)) == (keyword, arguments)


def test_a_history_that_does_not_fit_names_no_layer() -> None:
    raw: dict[str, Any] = {"rootfs": {"diff_ids": [DIGEST, DIGEST]}, "history": [{"created_by": "one"}]}
    assert made_by(read_config(json.dumps(raw).encode()), 0) == ""
    raw["history"] += [{"created_by": "ENV", "empty_layer": True}, {"created_by": "two"}]
    config = read_config(json.dumps(raw).encode())
    assert [made_by(config, number) for number in range(3)] == ["one", "two", ""]


def test_durations_are_seconds() -> None:
    health = {"Test": ["CMD", "x"], "Interval": 30_000_000_000, "Timeout": 0, "Retries": 3}
    config = read_config(json.dumps({"rootfs": {"diff_ids": []}, "config": {"Healthcheck": health}}).encode())
    assert config.health == (("CMD", "x"), 30.0, None, None, 3)

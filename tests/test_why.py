"""``--why`` in both worlds: the whole predicted container, and the proof of an image."""

from __future__ import annotations

from typing import Any

from lucid_audit.engine.dockerfile import judge
from lucid_audit.engine.image import judge as judge_image
from tests.image_sketch import publication
from tests.sketch import sketch

BROKEN = """\
FROM python:3.13-slim AS builder
RUN python3 -m venv /opt/venv
FROM gcr.io/distroless/python3-debian13:nonroot
COPY --from=builder /opt/venv /opt/venv
ENV API_TOKEN=s3cr3tAndL0ngEnough PORT=8080
EXPOSE 8080
ENTRYPOINT ["/opt/venv/bin/python3"]
CMD ["-m", "app"]
"""


def lines(text: str, context: dict[str, str] | None = None) -> list[tuple[str, str]]:
    return list(judge(sketch(text, {"context": context or {}}), [], why=True).facts)


def test_the_whole_predicted_container() -> None:
    found = lines(BROKEN)
    named = {name: value for name, value in found if name}
    assert named["image"] == "gcr.io/distroless/python3-debian13:nonroot (line 3)"
    assert named["user"] == "65532 (inherited)"
    assert named["starts"] == '["/opt/venv/bin/python3", "-m", "app"] (line 7)'
    assert named["health check"] == "none (inherited)"
    assert named["port"] == "8080 (line 6)"
    assert ("", "✗ /opt/venv/bin/python3 leads to /usr/local/bin/python3, which is not in the image") in found
    step = "→ /opt/venv/bin/python3 (link to /usr/local/bin/python3, stage builder, line 4)"
    assert ("", step) in found


def test_secrets_are_not_shown() -> None:
    shown = [value for _, value in lines(BROKEN)]
    assert "API_TOKEN=… (line 5)" in shown
    assert not any("s3cr3t" in value for value in shown)


def test_a_script_is_followed_to_its_end() -> None:
    text = 'FROM gcr.io/distroless/python3-debian13\nWORKDIR /app\nCOPY main.py .\nCMD ["main.py"]\n'
    found = lines(text, {"main.py": "print()"})
    assert found[-1][0] != "not known"
    assert ("", "→ /app/main.py (script, the build context, line 3)") in found
    assert any(value.startswith("nothing that is known keeps it from starting") for _, value in found)


def test_what_is_not_known_says_why() -> None:
    found = lines('FROM example.org/base\nRUN ./build.sh\nCMD ["run"]\n')
    assert ("user", "not known: example.org/base is not in the catalogue") in found
    assert ("not known", "build.sh in a RUN may have written it") in found


def proof(config: dict[str, Any], files: dict[str, Any]) -> list[tuple[str, str]]:
    layers = [{"created_by": "COPY app /app", "files": files}]
    (report,) = judge_image(publication({"base": "python3-debian13", "config": config, "layers": layers}), [], why=True)
    return list(report.facts)


def test_the_proof_of_an_image_names_layer_and_history_line() -> None:
    files = {"/app/run": {"text": "#!/usr/bin/python3\n", "mode": "0755"}}
    found = proof({"Entrypoint": ["/app/run"], "User": "65532"}, files)
    number = next(value for _, value in found if "/app/run (program" in value)
    assert number.endswith(": COPY app /app)")
    assert any("→ /usr/bin/python3" in value for _, value in found)
    assert any(value.startswith("nothing that is known keeps it") for _, value in found)


def test_the_proof_stops_at_the_first_broken_step() -> None:
    found = proof({"Entrypoint": ["/app/run"]}, {"/app/run": {"link": "/opt/none"}})
    assert found[-2:] == [
        ("", "✗ /app/run leads to /opt/none, which is not in the image"),
        ("health check", "none"),
    ]

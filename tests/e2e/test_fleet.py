"""A fleet of eight services in a real registry for two platforms: judged, killed, resumed, and shown in a real browser."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.e2e import app, distroless, services
from tests.e2e.push import push
from tests.e2e.servers import logged_registry
from tests.e2e.test_audit import DAY, ROOT

pytestmark = pytest.mark.e2e
LABELS = " ".join(f"{key}={value}" for key, value in app.LABELS.items())
FLEET = {  # the service, the fault of its image, and what of the matrix is not met
    "sound": ("", set()),
    "root": ("root-user", {"user"}),
    "busybox": ("renamed-busybox", {"shell"}),
    "bash": ("copied-bash", {"shell"}),
    "form": ("shell-form", {"starts"}),
    "probe": ("shell-probe", {"health"}),
    "debug": ("debug-base", {"distroless", "shell"}),
    "drifted": ("", set()),
}

TWINS: dict[str, tuple[set[str], set[str]]] = {  # what of the matrix is not met, and rules that report the fault
    "buried-secret": (set(), {"secret-file-buried"}),
    "setuid-file": (set(), {"set-id-program"}),
    "wrong-architecture": ({"platforms"}, {"platform-mismatch"}),
    "replaced-library": (set(), {"base-file-changed"}),
    "copied-library": (set(), set()),
}


def dockerfile() -> str:
    """Return what the sound service would be built from."""
    return f"""\
FROM gcr.io/distroless/python3-debian{distroless.release().number}:nonroot
WORKDIR /app
COPY --chown=65532:65532 server.py probe.py ./
LABEL {LABELS}
EXPOSE {app.PORT}
USER 65532:65532
HEALTHCHECK --interval=30s --timeout=3s --retries=3 CMD ["/usr/bin/python3", "/app/probe.py"]
STOPSIGNAL SIGTERM
CMD ["/app/server.py"]
"""


@pytest.fixture(scope="module")
def fleet(registry: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a plan whose images are in the registry."""
    folder = tmp_path_factory.mktemp("fleet")
    lines = ["version: 1", "platforms: [linux/amd64, linux/arm64]", "services:"]
    for name, (fault, _) in FLEET.items():
        layout = folder / "layouts" / (fault or "sound")
        if not layout.exists():
            layout.parent.mkdir(exist_ok=True)
            services.layout(layout, fault)
        push(layout, registry, f"team/{name}")
        place = folder / name
        place.mkdir()
        text = dockerfile()
        if name == "drifted":
            text = (
                text.replace("/app/server.py", "/app/main.py")
                .replace("greeter", "sleeper")
                .replace("server.py", "main.py")
            )
            (place / "main.py").write_text(app.SERVER)
        (place / "Dockerfile").write_text(text)
        for path, content in app.FILES.items():
            (place / Path(path).name).write_text(content)
        hostile = "'<img src=x onerror=alert(1)>'"
        lines.append(
            f"  - {{name: {name}, image: '{registry}/team/{name}:latest', dockerfile: {name}/Dockerfile, port: {app.PORT}, tags: [{hostile}]}}"
        )
    (folder / "lucid-plan.yaml").write_text("\n".join(lines) + "\n")
    return folder


def command(folder: Path, *words: str) -> list[str]:
    plan = str(folder / "lucid-plan.yaml")
    return [sys.executable, "-m", "lucid_audit", "fleet", "run", plan, "--as-of", DAY, "--format", "json", *words]


def environment(cache: Path) -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": ROOT, "LUCID_AUDIT_CACHE": str(cache)}


def run(folder: Path, cache: Path, *words: str) -> tuple[int, str]:
    done = subprocess.run(
        command(folder, *words), env=environment(cache), capture_output=True, text=True, check=False, timeout=300
    )
    assert "Traceback" not in done.stderr, done.stderr
    return done.returncode, done.stdout


@pytest.fixture(scope="module")
def report(fleet: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[int, str]:
    return run(fleet, tmp_path_factory.mktemp("cache"), "--output", f"html={fleet / 'fleet.html'}")


def test_the_matrix(report: tuple[int, str]) -> None:
    code, text = report
    assert code == 1
    document = json.loads(text)
    assert [one["judged"] for one in document["services"]] == ["image"] * len(FLEET)
    for one in document["services"]:
        wrong = {name for name, verdict in one["requirements"].items() if verdict["verdict"] == "fail"}
        assert wrong == FLEET[one["name"]][1], (one["name"], one["requirements"])
        if not wrong:
            assert {verdict["verdict"] for verdict in one["requirements"].values()} == {"pass"}, one["requirements"]
        assert {layer["platform"].removesuffix("/v8") for layer in one["layers"]} == {"linux/amd64", "linux/arm64"}
    assert document["totals"]["several_platforms"] == len(FLEET)
    assert document["totals"]["unread"] == 0


def test_drift(report: tuple[int, str]) -> None:
    differences = {one["name"]: [two["what"] for two in one["drift"]] for one in json.loads(report[1])["services"]}
    assert differences["sound"] == []
    assert {"command", "label org.opencontainers.image.title", "file /app/main.py"} <= set(differences["drifted"])
    assert len(differences["drifted"]) == len(set(differences["drifted"])), "what all platforms have is said once"
    assert any(what.startswith("user") for what in differences["root"])
    assert any(what.startswith("health check") for what in differences["probe"])
    assert any(what.startswith(("command", "entry point")) for what in differences["form"])


def test_killed_and_resumed(fleet: Path, report: tuple[int, str], tmp_path: Path) -> None:
    """A run that is killed in the middle goes on, and its report is the same byte for byte."""
    state = tmp_path / "state"
    process = subprocess.Popen(
        command(fleet, "--state", str(state)),
        env=environment(tmp_path / "cache"),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    while process.poll() is None and (not state.exists() or state.read_bytes().count(b"\n[") < 3):
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.wait(timeout=20)
    assert process.returncode == -signal.SIGKILL, "it ended before it could be killed"
    done = state.read_bytes().count(b"\n[")
    assert 3 <= done < len(FLEET)
    assert run(fleet, tmp_path / "cache", "--state", str(state)) == report
    assert not state.exists()


def test_interrupted_and_resumed(fleet: Path, report: tuple[int, str], tmp_path: Path) -> None:
    """The interrupt of a terminal reaches every process of the run; none stays, and the same command goes on."""
    state = tmp_path / "state"
    process = subprocess.Popen(
        command(fleet, "--state", str(state)), env=environment(tmp_path / "cache"), stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, text=True, start_new_session=True,
    )  # fmt: skip
    while process.poll() is None and (not state.exists() or state.read_bytes().count(b"\n[") < 2):
        time.sleep(0.02)
    os.killpg(process.pid, signal.SIGINT)
    out, err = process.communicate(timeout=20)
    assert (process.returncode, out) == (130, ""), "it ended before it could be interrupted"
    assert "goes on with the rest" in err
    assert "Traceback" not in err
    with pytest.raises(ProcessLookupError):
        os.killpg(process.pid, 0)
    assert run(fleet, tmp_path / "cache", "--state", str(state)) == report


def test_an_image_that_changed_meanwhile_is_judged_anew(fleet: Path, registry: str, tmp_path: Path) -> None:
    """What a killed run has found of a name is of no use once the name means another image."""
    repository = "team/moving"
    plan = tmp_path / "lucid-plan.yaml"
    plan.write_text(
        f"version: 1\nservices:\n  - {{name: moving, image: '{registry}/{repository}:latest'}}\n"
        f"  - {{name: gone, image: '{registry}/team/none:1'}}\n"
    )
    push(fleet / "layouts" / "sound", registry, repository)
    state = tmp_path / "kept"
    assert run(tmp_path, tmp_path / "cache", "--state", str(state))[0] == 3
    push(fleet / "layouts" / "root-user", registry, repository)
    code, text = run(tmp_path, tmp_path / "cache", "--state", str(state))
    assert code == 3
    assert json.loads(text)["services"][0]["requirements"]["user"]["verdict"] == "fail"


def test_each_layer_is_read_once_whoever_has_it(fleet: Path, tmp_path: Path) -> None:
    """The requests that a registry has seen: every layer and configuration once, with four services in work at a time."""
    with logged_registry() as (host, log):
        plan = tmp_path / "lucid-plan.yaml"
        lines = ["version: 1", "services:"]
        for name, (fault, _) in FLEET.items():
            push(fleet / "layouts" / (fault or "sound"), host, f"shared/{name}")
            lines.append(f"  - {{name: {name}, image: '{host}/shared/{name}:latest'}}")
        plan.write_text("\n".join(lines) + "\n")
        before = log.read_text().count("\n")
        code, text = run(tmp_path, tmp_path / "cache", "--jobs", "4")
        asked = re.findall(
            r'"GET /v2/shared/[^/]+/blobs/(sha256:[0-9a-f]+) ', "\n".join(log.read_text().split("\n")[before:])
        )
    assert code == 1
    layers = [layer["digest"] for one in json.loads(text)["services"] for layer in one["layers"]]
    assert len(layers) > 4 * len(set(layers)), "most of what they have is the same"
    assert set(layers) <= set(asked)
    assert len(asked) == len(set(asked))


def test_the_broken_twins(registry: str, tmp_path: Path) -> None:
    """Every other fault that these images can have, beside the sound one: told apart, none hides another."""
    lines = ["version: 1", "services:"]
    for name in TWINS:
        services.layout(tmp_path / name, name)
        push(tmp_path / name, registry, f"twin/{name}")
        lines.append(f"  - {{name: {name}, image: '{registry}/twin/{name}:latest'}}")
    (tmp_path / "lucid-plan.yaml").write_text("\n".join(lines) + "\n")
    code, text = run(tmp_path, tmp_path / "cache")
    assert code == 1
    for one in json.loads(text)["services"]:
        wrong = {name for name, verdict in one["requirements"].items() if verdict["verdict"] == "fail"}
        assert wrong == TWINS[one["name"]][0], (one["name"], one["requirements"])
        found = {finding["rule"] for image in one["images"] for finding in image["findings"]}
        assert TWINS[one["name"]][1] <= found, (one["name"], found)


def test_an_image_that_is_gone_is_said_and_the_others_are_judged(fleet: Path, registry: str, tmp_path: Path) -> None:
    plan = tmp_path / "lucid-plan.yaml"
    image = f"{registry}/team"
    plan.write_text(
        f"version: 1\nservices:\n  - {{name: gone, image: '{image}/none:1'}}\n  - {{name: sound, image: '{image}/sound:latest'}}\n"
    )
    code, text = run(tmp_path, tmp_path / "cache")
    assert code == 3
    gone, sound = json.loads(text)["services"]
    assert {one["verdict"] for one in gone["requirements"].values()} == {"unknown"}
    assert {one["verdict"] for one in sound["requirements"].values()} == {"pass"}


def soon(browser: Any, true: Callable[[], bool]) -> None:
    """Wait for what the page does after the event of a link."""
    from selenium.webdriver.support.wait import WebDriverWait

    WebDriverWait(browser, 10).until(lambda _: true())


def keyboard(browser: Any, page: str) -> None:
    """Do without a mouse: find, walk through the cells, open one, and come back to it."""
    from selenium.webdriver.common.action_chains import ActionChains
    from selenium.webdriver.common.keys import Keys

    def press(*keys: str) -> Any:
        ActionChains(browser).send_keys(*keys).perform()
        return browser.switch_to.active_element

    browser.get("about:blank")
    browser.get(page)
    assert press("/").get_attribute("id") == "filter"
    press("bash")
    assert browser.find_element("id", "count").text == f"1 of {len(FLEET)}"
    press(Keys.ESCAPE)
    assert browser.find_element("id", "count").text == f"{len(FLEET)} of {len(FLEET)}"
    first = browser.find_element("css selector", "#services tbody th a")
    browser.execute_script("arguments[0].focus()", first)
    assert press(Keys.ARROW_DOWN).text == "root"
    assert press(Keys.ARROW_RIGHT, Keys.ARROW_RIGHT).get_attribute("hash") == "#s1-user"
    press(Keys.ENTER)
    soon(browser, lambda: browser.switch_to.active_element.tag_name == "summary")
    assert browser.find_element("id", "s1-user").get_attribute("open") is not None
    assert press(Keys.ESCAPE).get_attribute("hash") == "#s1-user"


def test_prints_on_paper(fleet: Path, report: tuple[int, str], browser: Any) -> None:
    """What is folded on the screen is open on paper, and the tools of the screen are not there."""
    assert report
    browser.get((fleet / "fleet.html").as_uri())
    assert browser.execute_cdp_cmd("Page.printToPDF", {"printBackground": True})["data"].startswith("JVBERi0")
    closed = browser.find_elements("css selector", "section.service details:not([open])")
    assert closed == []
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
    assert not browser.find_element("css selector", ".tools").is_displayed()


def test_in_the_dark(fleet: Path, report: tuple[int, str], browser: Any) -> None:
    """Every text of the page has the contrast that WCAG 2 asks for (4.5), light and dark."""
    assert report
    browser.get((fleet / "fleet.html").as_uri())
    for scheme in ("light", "dark"):
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})
        poor = browser.execute_script(CONTRAST)
        assert poor == [], scheme


CONTRAST = """
const colour = text => text.match(/[\\d.]+/g).map(Number);
const light = ([r, g, b]) => [r, g, b].map(v => (v /= 255) <= .03928 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4)
  .reduce((sum, v, at) => sum + v * [.2126, .7152, .0722][at], 0);
function ground(node) {
  for (; node; node = node.parentElement) {
    const found = colour(getComputedStyle(node).backgroundColor);
    if (found.length === 3 || found[3] > 0) return found;
  }
  return [255, 255, 255];
}
document.querySelectorAll('details').forEach(one => { one.open = true; });
const poor = new Set();
for (const node of document.querySelectorAll('body *')) {
  const own = [...node.childNodes].some(one => one.nodeType === 3 && one.data.trim());
  if (!own || ['SCRIPT', 'STYLE', 'OPTION', 'title'].includes(node.tagName) || node.closest('.dots, .skip, .silenced')) continue;
  const [a, b] = [light(colour(getComputedStyle(node).color)), light(ground(node))].sort((x, y) => y - x);
  if ((a + .05) / (b + .05) < 4.5) poor.add(node.tagName + '.' + node.className + ' ' + ((a + .05) / (b + .05)).toFixed(1));
}
return [...poor];
"""


def test_in_a_browser(fleet: Path, report: tuple[int, str], browser: Any) -> None:
    assert report
    page = (fleet / "fleet.html").as_uri()
    browser.get(page)
    rows = browser.find_elements("css selector", "#services tbody tr")
    assert len(rows) == len(FLEET)
    assert browser.find_element("id", "count").text == f"{len(FLEET)} of {len(FLEET)}"
    browser.find_element("id", "filter").send_keys("bus")
    assert [row.find_element("tag name", "th").text for row in rows if row.is_displayed()] == ["busybox"]
    assert sum(one.is_displayed() for one in browser.find_elements("css selector", "section.service")) == 1
    browser.find_element("id", "filter").clear()
    browser.find_element("css selector", "#only option[value=ready]").click()
    assert {row.find_element("tag name", "th").text for row in rows if row.is_displayed()} == {"sound", "drifted"}
    browser.get("about:blank")
    browser.get(f"{page}#s4-starts")  # a link to one cell of one service
    fold = browser.find_element("id", "s4-starts")
    assert fold.get_attribute("open") is not None
    assert "command-needs-shell" in fold.text
    assert "there is no /bin/sh" in fold.text, "the proof of the image"
    assert "→ /app/server.py" in fold.text, "and what the Dockerfile promised"
    browser.get(page)
    browser.find_elements("css selector", "td.fail a")[0].click()
    assert browser.current_url.endswith("#s1-user")
    soon(browser, lambda: browser.find_element("id", "s1-user").get_attribute("open") is not None)
    assert browser.find_elements("css selector", "img") == [], "what hostile tags say is text"
    wide = browser.execute_script("return document.querySelectorAll('svg rect').length")
    assert wide > len(FLEET) * 10
    keyboard(browser, page)
    browser.execute_cdp_cmd(
        "Emulation.setDeviceMetricsOverride", {"width": 390, "height": 800, "deviceScaleFactor": 1, "mobile": True}
    )
    browser.get("about:blank")
    browser.get(page)
    assert browser.execute_script("return document.documentElement.scrollWidth <= innerWidth + 1"), (
        "the page itself does not scroll sideways"
    )
    assert [one for one in browser.get_log("browser") if one["level"] in ("SEVERE", "WARNING")] == []

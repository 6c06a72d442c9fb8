"""Who runs: what the audit reads from passwd and group is what an engine gives a process, supplementary groups included."""

from __future__ import annotations

import io
import subprocess
import tarfile
from collections.abc import Iterator

import pytest

from lucid_audit.container.accounts import Account, account
from tests.e2e import servers
from tests.e2e.debs import content
from tests.e2e.servers import CLIENT
from tests.e2e.tars import directory, file
from tests.image_sketch import image

pytestmark = pytest.mark.e2e
PASSWD = (
    "root:x:0:0:root:/root:/bin/sh\napp:x:1000:1000::/app:/sbin/nologin\nweb:x:1001:33::/:/sbin/nologin\n"
    "twin:x:1000:44::/:/sbin/nologin\nshort:x:1005\n\nbroken\n"
)
GROUP = (
    "root:x:0:\napp:x:1000:\nkeys:x:70:web,app\nlogs:x:71:app\nwww:x:33:\nempty:x:72:,\nspaced:x:73: app\nfew:x:74\n"
)
FILES = {"both": (PASSWD, GROUP), "no group": (PASSWD, None), "no passwd": (None, GROUP), "none": (None, None)}
USERS = ("", "0", "app", "web", "1000", "1001", "4711", "twin", "app:app", "app:70", "1000:keys", "4711:keys", "4711:4712", "short",
         "+1000", "01000", "gone", "app:gone", ":keys")  # fmt: skip


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with servers.engine() as address:
        for number, (passwd, group) in enumerate(FILES.values()):
            packed = io.BytesIO()
            with tarfile.open(fileobj=packed, mode="w") as archive:
                for info, data in _members(passwd, group):
                    info.size = len(data)
                    archive.addfile(info, io.BytesIO(data))
            place = tmp_path_factory.mktemp("roots") / "root.tar"
            place.write_bytes(packed.getvalue())
            _client(address, "import", str(place), f"who:{number}")
        yield address


def _members(passwd: str | None, group: str | None) -> Iterator[tuple[tarfile.TarInfo, bytes]]:
    yield directory("bin")
    yield file("bin/busybox", content("busybox-static", "amd64", "bin/busybox"), 0o755)
    yield directory("etc")
    for name, text in (("passwd", passwd), ("group", group)):
        if text is not None:
            yield file(f"etc/{name}", text)


def _client(address: str, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([CLIENT, "-H", address, *words], capture_output=True, text=True, check=False)


@pytest.mark.parametrize("user", USERS)
@pytest.mark.parametrize("number", range(len(FILES)), ids=list(FILES))
def test_the_engine_agrees(user: str, number: int, engine: str) -> None:
    told = ("--user", user) if user else ()
    done = _client(
        engine, "run", "--rm", "--network=none", *told, f"who:{number}", "/bin/busybox", "cat", "/proc/self/status"
    )
    passwd, group = list(FILES.values())[number]
    files = {f"/etc/{name}": text for name, text in (("passwd", passwd), ("group", group)) if text is not None}
    said = account(image({"config": {"User": user}, "layers": [{"files": {"/x": "", **files}}]}).container)
    if said is None:
        assert done.returncode == 125, done.stdout
        assert "unable to find" in done.stderr or "no matching entries" in done.stderr, done.stderr
        return
    assert isinstance(said, Account)
    assert done.returncode == 0, done.stderr
    status = {key: value.split() for key, _, value in (line.partition(":") for line in done.stdout.splitlines())}
    assert (int(status["Uid"][1]), int(status["Gid"][1])) == (said.uid, said.gid)
    assert {*map(int, status["Groups"]), said.gid} == {*(said.groups or ()), said.gid}

"""Files on disk, mended: what is written, what is kept, and what is refused."""

from __future__ import annotations

import os
import subprocess
from datetime import date
from pathlib import Path

import pytest

from lucid_audit import lint, repair
from lucid_audit.__main__ import main
from lucid_audit.errors import InputError

BAD = b"FROM gcr.io/distroless/static-debian13:nonroot\nEXPOSE 80/TCP\n"
GOOD = BAD.replace(b"TCP", b"tcp")


def request(*paths: Path) -> lint.Request:
    return lint.Request(tuple(map(str, paths)), date(2026, 11, 23))


def file(folder: Path, data: bytes = BAD) -> Path:
    path = folder / "Dockerfile"
    path.write_bytes(data)
    return path


@pytest.mark.parametrize(
    "data",
    [BAD, b"\xef\xbb\xbf" + BAD, BAD.replace(b"\n", b"\r\n"), BAD.rstrip(), b"# \xff\xfe\n" + BAD, b"# \xc3\xa9\n" + BAD],
    ids=["plain", "BOM", "CRLF", "no newline at the end", "no UTF-8", "UTF-8"],
)  # fmt: skip
def test_bytes_and_permissions_stay(tmp_path: Path, data: bytes) -> None:
    path = file(tmp_path, data)
    path.chmod(0o640)
    assert main(["lint", "--fix", "-q", str(path)]) == 0
    assert path.read_bytes() == data.replace(b"TCP", b"tcp")
    assert path.stat().st_mode & 0o7777 == 0o640
    assert [one.name for one in tmp_path.iterdir()] == ["Dockerfile"]
    before = path.stat().st_ino
    assert main(["lint", "--fix", "-q", str(path)]) == 0
    assert path.stat().st_ino == before, "nothing to fix, nothing written"


@pytest.mark.parametrize("data", [BAD, BAD.rstrip(), BAD.replace(b"\n", b"\r\n"), b"# \xff\n" + BAD])
def test_the_difference_is_a_patch(
    tmp_path: Path, data: bytes, capfdbinary: pytest.CaptureFixture[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = file(tmp_path, data)
    monkeypatch.chdir(tmp_path)
    assert main(["lint", "--diff", "Dockerfile"]) == 1
    patch = capfdbinary.readouterr().out
    assert path.read_bytes() == data, "nothing is written"
    subprocess.run(["git", "init", "-q", "."], check=True)
    subprocess.run(["git", "apply", "-"], input=patch, check=True)
    assert path.read_bytes() == data.replace(b"TCP", b"tcp")
    assert main(["lint", "--diff", "Dockerfile"]) == 0
    assert capfdbinary.readouterr().out == b""


def test_a_link_is_refused(tmp_path: Path) -> None:
    target = tmp_path / "elsewhere"
    target.write_bytes(BAD)
    link = tmp_path / "Dockerfile"
    link.symlink_to(target)
    with pytest.raises(InputError, match="symbolic link"):
        list(repair.write(repair.run(request(link), unsafe=False)))
    assert target.read_bytes() == BAD


def test_what_changes_meanwhile_is_refused(tmp_path: Path) -> None:
    path = file(tmp_path)
    (found,) = repair.run(request(path), unsafe=False)
    path.write_bytes(BAD + b"EXPOSE 81/TCP\n")
    with pytest.raises(InputError, match="changed while"):
        list(repair.write([found]))
    assert path.read_bytes() == BAD + b"EXPOSE 81/TCP\n"


def test_what_cannot_be_written_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = file(tmp_path)
    found = list(repair.run(request(path), unsafe=False))

    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(InputError, match="No space left"):
        list(repair.write(found))
    assert path.read_bytes() == BAD
    assert [one.name for one in tmp_path.iterdir()] == ["Dockerfile"]


def test_standard_input_and_options(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["lint", "--fix", "-"]) == 2
    assert "--diff" in capsys.readouterr().err
    assert main(["lint", "--unsafe-fixes", "."]) == 2


def test_a_run_over_a_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("a", "b", "c"):
        (tmp_path / name).mkdir()
        file(tmp_path / name, GOOD if name == "b" else BAD)
    assert main(["lint", "--fix", "-q", str(tmp_path)]) == 0
    said = capsys.readouterr().err
    assert said.count("fixed expose-protocol-casing") == 2
    assert "2 findings fixed in 2 files" in said


def test_hostile_names_and_text_on_a_terminal(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "\x1b[31mred"
    folder.mkdir()
    file(folder)
    assert main(["lint", "--fix", "-q", str(folder)]) == 0
    assert "\x1b" not in capsys.readouterr().err

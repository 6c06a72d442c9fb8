"""What ADD makes of a local archive and of a URL, without unpacking or fetching anything.

Facts: moby/buildkit ``solver/llbsolver/file/unpack.go`` (a tar file, also compressed, is unpacked into the destination as a
folder; owners are those of the archive without ``--chown``),
github.com/moby/go-archive ``archive.go`` (an entry replaces what is there unless both are folders), and
``dockerfile2llb/convert_copy.go`` with the reference of ADD (a file from a URL is called like the last part of its path and
has mode 0600).
"""

from __future__ import annotations

from posixpath import basename

from lucid_audit.container.tree import Made, Node
from lucid_audit.dockerfile.globs import clean
from lucid_audit.dockerfile.sources import Source

TYPE_CHECKING = False
if TYPE_CHECKING:
    import io
    import tarfile

    from lucid_audit.dockerfile.resolve import Context

PACKED_LIMIT = 16 << 20  # bytes of an archive in the context
UNPACKED_LIMIT = 128 << 20  # bytes of the tar stream in it
ENTRY_LIMIT = 20_000
_MARKS = {b"\x1f\x8b": "gz", b"BZ": "bz2", b"\xfd7": "xz"}


class UnlistedError(Exception):
    """The contents of an archive cannot be told; the message says why."""


def remote(url: str, made: Made) -> Source:
    """Return the file that ADD makes of a URL, or a source of unknown kind for a repository and for odd names."""
    scheme, _, rest = url.partition("://")
    host, slash, path = rest.partition("#")[0].partition("?")[0].partition("/")
    name = basename(clean("/" + path))
    if scheme not in ("http", "https") or not (host and slash and name) or ".git" in url or "%" in path:
        return Source("", None, f"what ADD {url} brings is not listed")
    return Source(name, Node("f", made, 0o600, 0, 0))


def unpacked(context: Context, path: str, made: Made) -> Source:
    """Return the folder that an archive of the context is unpacked to, or a source of unknown kind with the reason."""
    data = context.read(path, PACKED_LIMIT + 1)
    try:
        if data is None:
            raise UnlistedError("it cannot be read")
        if len(data) > PACKED_LIMIT:
            raise UnlistedError(f"it has more than {PACKED_LIMIT >> 20} MiB")
        return Source("", listed(data, made))
    except UnlistedError as why:
        return Source("", None, f"what ADD {path} unpacks is not known: {why}")


def listed(data: bytes, made: Made) -> Node:
    """Return a folder with the entries of a tar file, compressed or not.

    Raises:
        UnlistedError: it is damaged, too large, or has what is not followed.

    """
    import lzma  # noqa: PLC0415  (rarely needed, slow to import)
    import tarfile  # noqa: PLC0415
    import zlib  # noqa: PLC0415

    root = Node("d", made, 0o755, 0, 0)
    try:
        with tarfile.open(fileobj=_stream(data), mode="r:") as tar:
            for count, member in enumerate(tar):
                if count >= ENTRY_LIMIT:
                    raise UnlistedError(f"it has more than {ENTRY_LIMIT} entries")
                _add(root, member, made)
    except (tarfile.TarError, EOFError, OSError, ValueError, zlib.error, lzma.LZMAError) as error:
        raise UnlistedError("it is no tar file that can be read") from error
    return root


def _stream(data: bytes) -> io.BytesIO:
    import bz2  # noqa: PLC0415  (see above)
    import gzip  # noqa: PLC0415
    import io  # noqa: PLC0415
    import lzma  # noqa: PLC0415

    kind = _MARKS.get(data[:2])
    packed = io.BytesIO(data)
    if kind is None:
        return packed
    reader = gzip.GzipFile(fileobj=packed) if kind == "gz" else bz2.BZ2File(packed) if kind == "bz2" else None
    with reader or lzma.LZMAFile(packed) as opened:
        plain = opened.read(UNPACKED_LIMIT + 1)
    if len(plain) > UNPACKED_LIMIT:
        raise UnlistedError(f"unpacked it has more than {UNPACKED_LIMIT >> 20} MiB")
    return io.BytesIO(plain)


def _add(root: Node, member: tarfile.TarInfo, made: Made) -> None:
    if ".." in member.name.split("/"):
        raise UnlistedError("an entry climbs with ..")
    path = clean("/" + member.name)[1:]
    if not path:
        return  # the destination keeps what it has
    above, _, name = path.rpartition("/")
    folder = _find(root, above)
    if folder is None or folder.kind != "d":
        raise UnlistedError(f"the folder of {path} is no entry of its own")
    mode = member.mode & 0o7777
    old = folder.children.get(name)
    if member.isdir():
        node = Node("d", made, mode, member.uid, member.gid)
        if old is not None and old.kind == "d":
            node.children = old.children
    elif member.issym():
        node = Node("l", made, 0o777, member.uid, member.gid, member.linkname)
    elif member.isreg():
        node = Node("f", made, mode, member.uid, member.gid)
    elif member.islnk():
        there = _find(root, clean("/" + member.linkname)[1:])
        if there is None or there.kind != "f":
            raise UnlistedError(f"{path} is a link to what is not in it")
        node = there  # one file with two names: the last entry's attributes are those of both
        node.mode, node.uid, node.gid = mode, member.uid, member.gid
    else:
        raise UnlistedError(f"{path} is neither a file nor a folder nor a link")
    folder.children[name] = node


def _find(root: Node, path: str) -> Node | None:
    node: Node | None = root
    for part in filter(None, path.split("/")):
        node = node.children.get(part) if node is not None else None
    return node

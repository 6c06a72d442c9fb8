"""One pass over a layer: its digests verified, its entries listed, the programs in it recognised, wanted files kept.

Sources: OCI image-spec v1.1, ``layer.md`` (whiteouts, attributes); overlayfs, kernel documentation (a character
device 0:0 is a whiteout). Memory is bounded by the number of entries, not by the size of the files.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from lucid_audit.container.learned import Learned
from lucid_audit.container.linkage import read_linkage, slices
from lucid_audit.container.program import HEAD, LINE, Program, read_program
from lucid_audit.image.blocks import Blocks
from lucid_audit.image.compression import kind_of, unpack
from lucid_audit.image.descriptor import Descriptor, hasher
from lucid_audit.image.elf import ElfBytes
from lucid_audit.image.entry import Entry, normalise, read_entry
from lucid_audit.image.limits import DEFAULT, Limits
from lucid_audit.image.markers import known_as
from lucid_audit.image.source import DamagedError
from lucid_audit.image.tar import Member, TarReader
from lucid_audit.image.texts import SCRIPT_LIMIT, Texts, TextsWriter, text_limit, text_part
from lucid_audit.image.wanted import Wanted
from lucid_audit.record import record


@record(eq=False)
class Layer:
    """What is known of a layer. ``size`` packed and ``unpacked`` are bytes of the blob and of the tar archive.

    ``programs``: ELF files, and scripts that may be executed, by path. ``kept``: contents of wanted files;
    ``too_large``: wanted files that were not kept. ``texts``: sources, for who proves how the image starts.
    ``repeated``: paths that the archive has more than once. ``learned``: what was read out of its files later on.
    """

    digest: str
    diff_id: str
    size: int
    unpacked: int
    compression: str
    entries: tuple[Entry, ...]
    programs: Mapping[str, Program]
    kept: Mapping[str, bytes]
    texts: Texts
    learned: Learned
    too_large: tuple[str, ...] = ()
    repeated: tuple[str, ...] = ()

    @property
    def empty(self) -> bool:
        """Whether it changes nothing."""
        return not self.entries

    @property
    def content(self) -> int:
        """Bytes of all its files."""
        return sum(entry.size for entry in self.entries)


class _Hashed:
    """Passes pieces on and keeps their hash and size; ``limit`` is what the descriptor promises, -1 for anything."""

    def __init__(self, digest: str, limit: int = -1) -> None:
        self._hash = hasher(digest)
        self._limit = limit
        self.size = 0

    def through(self, pieces: Iterator[bytes]) -> Iterator[bytes]:
        for piece in pieces:
            self.size += len(piece)
            if 0 <= self._limit < self.size:
                raise DamagedError(f"it has more than the {self._limit} bytes that its descriptor says")
            self._hash.update(piece)
            yield piece

    def hex(self) -> str:
        return self._hash.hexdigest()

    def check(self, descriptor: Descriptor) -> None:
        """Compare what passed with what the descriptor says."""
        if descriptor.size not in (-1, self.size):
            raise DamagedError(f"layer {descriptor.digest} ends after {self.size} of {descriptor.size} bytes")
        if self.hex() != descriptor.digest.partition(":")[2]:
            raise DamagedError(f"layer {descriptor.digest} has other content than its digest says")


def read_layer(
    pieces: Iterator[bytes],
    descriptor: Descriptor,
    wanted: Wanted,
    limits: Limits = DEFAULT,
    ahead: Callable[[Iterator[bytes]], Iterator[bytes]] = iter,
) -> Layer:
    """Read a layer to its end and return what is in it.

    ``ahead`` wraps the packed stream once it is hashed: with a thread there, both go on while the last pieces are unpacked.

    Raises:
        DamagedError: size, digest, compression or archive are not what they have to be, or a limit is exceeded.
        SourceError: the source failed.

    """
    packed, unpacked, kind = _Hashed(descriptor.digest, descriptor.size), _Hashed("sha256:"), _First()
    arriving = ahead(packed.through(pieces))
    try:
        reading = _Reading(ahead(unpacked.through(unpack(kind.watch(arriving), limits))), wanted, limits)
        reading.run()
        for _ in arriving:  # what follows the compressed data still counts for the digest
            pass
    except DamagedError as error:
        raise DamagedError(f"layer {descriptor.digest}: {error}") from None
    packed.check(descriptor)
    return Layer(
        descriptor.digest,
        f"sha256:{unpacked.hex()}",
        packed.size,
        unpacked.size,
        kind_of(kind.start),
        tuple(reading.entries.values()),
        reading.programs,
        reading.kept,
        reading.texts.finish(),
        Learned(),
        tuple(reading.too_large),
        tuple(reading.repeated),
    )


class _First:
    """Remembers the first bytes of a stream."""

    def __init__(self) -> None:
        self.start = b""

    def watch(self, pieces: Iterator[bytes]) -> Iterator[bytes]:
        for piece in pieces:
            if len(self.start) < 512:
                self.start += piece[:512]
            yield piece


class _Reading:
    """The pass itself: what was found so far."""

    def __init__(self, blocks: Iterator[bytes], wanted: Wanted, limits: Limits) -> None:
        self._tar = TarReader(blocks, limits)
        self._wanted = wanted
        self._limits = limits
        self._kept_size = 0
        self.entries: dict[str, Entry] = {}
        self.programs: dict[str, Program] = {}
        self.kept: dict[str, bytes] = {}
        self.texts = TextsWriter(limits.texts)
        self.too_large: list[str] = []
        self.repeated: list[str] = []

    def run(self) -> None:
        """Read all members."""
        entries, path_limit = self.entries, self._limits.path
        for member in self._tar:
            path = normalise(member.name, path_limit)
            entry = read_entry(member, path, path_limit)
            if entry is None:
                continue
            key = entry.path if entry.kind not in "wo" else f"{entry.kind}{entry.path}"
            if key in entries:
                if entry.kind != "d" or entries[key].kind != "d":  # programs repeat directories without harm
                    self.repeated.append(entry.path)
                self._forget(entry.path)
                del entries[key]
            entries[key] = entry
            if entry.kind == "f" and member.stored:
                self._file(member, entry)

    def _forget(self, path: str) -> None:
        self.programs.pop(path, None)
        self.texts.forget(path)
        dropped = self.kept.pop(path, None)
        if dropped is not None:
            self._kept_size -= len(dropped)

    def _file(self, member: Member, entry: Entry) -> None:
        """Look at a file's content as far as somebody wants to know."""
        blocks = self._tar.blocks
        if entry.path in self._wanted:
            self._keep(member, entry.path, blocks)
            return
        if member.stored < 4 or not member.data:
            return
        magic = blocks.take(4)
        if magic == b"\x7fELF":
            self._program(entry, magic + blocks.take(min(member.stored, HEAD) - 4), member.stored, blocks)
            return
        script = magic[:2] == b"#!" and entry.mode & 0o111 != 0
        if member.stored <= (text_limit(entry.path) or (SCRIPT_LIMIT if script else 0)):
            content = magic + blocks.take(member.stored - 4)
            self.texts.add(entry.path, text_part(entry.path, content))
            if script:
                self._program(entry, content[:LINE], member.stored, blocks)
        elif script:
            self._program(entry, magic + blocks.take(min(member.stored, LINE) - 4), member.stored, blocks)

    def _program(self, entry: Entry, head: bytes, stored: int, blocks: Blocks) -> None:
        program = read_program(head)
        if program is None:
            return
        if program.kind == "elf":
            executable = entry.mode & 0o111 != 0
            elf = ElfBytes(head, stored, blocks, executable=executable)
            told = known_as(elf.first) if executable and elf.whole else ""
            program = program._replace(known_as=told, linkage=read_linkage(elf.read))
        self.programs[entry.path] = program

    def _keep(self, member: Member, path: str, blocks: Blocks) -> None:
        limits = self._limits
        if member.stored > limits.keep_file or self._kept_size + member.stored > limits.keep or not member.data:
            self.too_large.append(path)
            return
        content = blocks.take(member.stored)
        if len(content) < member.stored:
            raise DamagedError(f"the archive is cut short in {member.name!r}")
        self.kept[path] = content
        self._kept_size += len(content)
        program = read_program(content[:HEAD])
        if program is not None:
            if program.kind == "elf":
                program = program._replace(linkage=read_linkage(slices(content)))
            self.programs[path] = program

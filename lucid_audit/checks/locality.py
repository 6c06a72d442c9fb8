"""What programs expect of the system around them: CA certificates, time zones and locales."""

from __future__ import annotations

from posixpath import basename

from lucid_audit.checks import Answers, check
from lucid_audit.container.base_tree import LOADERS
from lucid_audit.container.config import Container, Traced
from lucid_audit.container.files import Answer, State
from lucid_audit.finding import Hit, Skip
from lucid_audit.record import record
from lucid_audit.regex import rx
from lucid_audit.values import Unknown

# Where TLS libraries look for a bundle or a folder of certificates: Go's crypto/x509 (root_linux.go) has them all.
_BUNDLES = (
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/pki/tls/cacert.pem",
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
    "/etc/ssl/cert.pem",
    "/etc/ssl/certs",
)
_POINTERS = ("SSL_CERT_FILE", "SSL_CERT_DIR")
_OWN_BUNDLES = ("certifi/cacert.pem", "bin/node", "lib/security/cacerts")  # certifi, Node and Java bring their own
_BUNDLE = 2 << 20  # bytes of a bundle that are looked through
_ZONES = "/usr/share/zoneinfo"
_BUILT_IN = frozenset(("", "C", "POSIX", "C.UTF-8", "C.utf8"))  # glibc 2.35 on has C.UTF-8 inside


@check("certificates-somewhere")
def certificates_somewhere(container: Container) -> Answers:
    """Judge whether a TLS client can tell whom it speaks to. Runtimes that bring certificates of their own need none."""
    files = container.files
    if any(name in container.env for name in _POINTERS):
        return  # what a variable names is another rule's matter
    answers = [files.find(path) for path in _BUNDLES]
    if any(answer.state is State.PRESENT for answer in answers) or _brings_own(container):
        return
    unknown = next((answer.reason for answer in answers if answer.state is State.UNKNOWN), "")
    reason = unknown or files.open or container.env_open or _unlisted(container)
    if reason:
        yield Skip(container.stage_place, f"whether there are CA certificates: {reason}")
    else:
        yield Hit(container.stage_place, where=_BUNDLES[0])


def _brings_own(container: Container) -> bool:
    """Whether a runtime or package with certificates of its own is in the image."""
    found = (path for end in _OWN_BUNDLES for path in container.files.named(basename(end)) or () if path.endswith(end))
    return any(found)


def _unlisted(container: Container) -> str:
    """Say which folder was copied of which nobody lists all contents; a package in it may bring certificates."""
    for placement in container.files.placements:
        node = container.files.walk(placement.path).node if placement.path is not None else None
        if node is None or node.kind == "?" or (node.kind == "d" and container.files.doubt(node)):
            return f"what is in {placement.path or 'a folder that is copied'} is not listed"
    return ""


@record
class Bundles:
    """``names``: variables whose value is a file of certificates."""

    names: tuple[str, ...]


@check("certificates-filled")
def certificates_filled(container: Container, params: Bundles) -> Answers:
    """Judge files of CA certificates whose content is known: in PEM form, or of no use to a TLS library."""
    named = {
        value: Traced(name, traced.place)
        for name in params.names
        if (traced := container.env.get(name)) is not None and (value := traced.known()) and not traced.inherited
    }
    for path in dict.fromkeys((*named, *_BUNDLES)):
        walk = container.files.walk(path) if path.startswith("/") else None
        if walk is None or walk.node is None or walk.node.kind != "f":
            continue
        data = walk.load(_BUNDLE)
        if data is not None and len(data) < _BUNDLE and not (b"-----BEGIN " in data and b"CERTIFICATE-----" in data):
            by = named.get(path)
            place = by.place if by is not None else walk.node.made.span or container.stage_place
            yield Hit(place, path=path, by=f", and {by.value} names it" if by is not None else "")


@check("timezone-exists")
def timezone_exists(container: Container) -> Answers:
    """Judge the file that ``TZ`` names (tzset(3)); a name without a slash may be a POSIX rule such as ``EST5EDT``."""
    traced = container.env.get("TZ")
    value = traced.value if traced is not None else None
    if traced is None or value is None or traced.inherited:
        return
    if isinstance(value, Unknown):
        yield Skip(traced.place, f"TZ: {value.reason}")
        return
    name = value.removeprefix(":")
    if "/" not in name or ".." in name:
        return
    path = name if name.startswith("/") else f"{_ZONES}/{name}"
    yield from _answered(container, traced, path, container.files.find(path))


@check("locale-exists")
def locale_exists(container: Container) -> Answers:
    """Judge the locale that is asked for (setlocale(3)). musl has none and takes every name, so it is not judged."""
    traced = next((container.env[name] for name in ("LC_ALL", "LANG") if name in container.env), None)
    value = traced.value if traced is not None else None
    if traced is None or value is None or traced.inherited or value in _BUILT_IN:
        return
    if isinstance(value, Unknown):
        yield Skip(traced.place, value.reason)
        return
    form = rx(r"([A-Za-z]{2,3}_[A-Z]{2})\.([\w-]+)").fullmatch(value)
    if form is None or not _has_glibc(container):
        return
    # glibc looks for the codeset in lower case without dashes too (intl/l10nflist.c, _nl_normalize_codeset)
    archive = container.files.find("/usr/lib/locale/locale-archive")
    path = f"/usr/lib/locale/{form[1]}.{form[2].lower().replace('-', '')}"
    answer = container.files.find(path)
    if answer.state is State.ABSENT and archive.state is not State.ABSENT:
        answer = Answer(State.UNKNOWN, "which locales /usr/lib/locale/locale-archive has is not known")
    yield from _answered(container, traced, path, answer)


def _answered(container: Container, traced: Traced[str], path: str, answer: Answer) -> Answers:
    if answer.state is State.UNKNOWN:
        yield Skip(traced.place, f"{path}: {answer.reason}")
    elif answer.state is State.ABSENT and not any(container.files.placed_under(path)):
        yield Hit(traced.place, value=str(traced.known()), path=path)


def _has_glibc(container: Container) -> bool:
    return any(
        container.files.find(f"/{folder}/{name}").state is State.PRESENT
        for libc, name in LOADERS
        if libc == "glibc"
        for folder in ("lib", "lib64")
    )

"""XML 1.0 that every reader takes: ASCII, and nothing in it that its grammar forbids."""

from __future__ import annotations

from xml.etree.ElementTree import Element, SubElement, indent, tostring

from lucid_audit.report.escape import visible


def child(parent: Element, tag: str, **attributes: str | int) -> Element:
    """Add an element. Control characters, surrogates and what Unicode has not assigned become visible escapes."""
    return SubElement(parent, tag, {name: visible(str(value)) for name, value in attributes.items()})


def serialised(root: Element) -> str:
    """Return a document in ASCII, which is UTF-8 too."""
    indent(root)
    body = tostring(root, encoding="us-ascii", xml_declaration=False).decode("ascii")
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{body}\n'

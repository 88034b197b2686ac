"""ELAN's annotation format (EAF 3.0): a tier a channel, times in milliseconds, linked to the recording."""

import mimetypes
import os
import xml.etree.ElementTree as xml
from collections.abc import Sequence
from pathlib import Path

from emorank.taking.lists.tiers import tiers_of
from emorank.taking.moments import Moment

_NAMESPACE = "http://www.w3.org/2001/XMLSchema-instance"
_DATE = "1970-01-01T00:00:00+00:00"  # ELAN wants one; the same moments shall give the same file


def elan(moments: Sequence[Moment]) -> str:
    """The annotations of a recording: of all moments, at least one, that are given.

    Where they do not name it by an absolute path, ELAN finds it by its name beside the file, or asks for it.
    """
    path = moments[0].path
    attributes = {"AUTHOR": "", "DATE": _DATE, "FORMAT": "3.0", "VERSION": "3.0", "xmlns:xsi": _NAMESPACE}
    schema = "http://www.mpi.nl/tools/elan/EAFv3.0.xsd"
    root = xml.Element("ANNOTATION_DOCUMENT", {**attributes, "xsi:noNamespaceSchemaLocation": schema})
    header = xml.SubElement(root, "HEADER", MEDIA_FILE="", TIME_UNITS="milliseconds")
    media = mimetypes.guess_type(path)[0] or "audio/*"
    name = os.path.basename(path).encode("utf8", "replace").decode()
    address = Path(path).as_uri() if os.path.isabs(path) else f"./{_printed(name)}"
    xml.SubElement(
        header, "MEDIA_DESCRIPTOR", MEDIA_URL=address, MIME_TYPE=media, RELATIVE_MEDIA_URL=f"./{_printed(name)}"
    )
    order = xml.SubElement(root, "TIME_ORDER")
    count = 0
    for tier_name, some in tiers_of(moments).items():
        tier = xml.SubElement(root, "TIER", LINGUISTIC_TYPE_REF="moments", TIER_ID=tier_name)
        for moment in some:
            count += 1
            slots = f"ts{2 * count - 1}", f"ts{2 * count}"
            for slot, seconds in zip(slots, (moment.start, moment.end), strict=True):
                xml.SubElement(order, "TIME_SLOT", TIME_SLOT_ID=slot, TIME_VALUE=str(round(seconds * 1000)))
            annotation = xml.SubElement(tier, "ANNOTATION")
            references = {"ANNOTATION_ID": f"a{count}", "TIME_SLOT_REF1": slots[0], "TIME_SLOT_REF2": slots[1]}
            aligned = xml.SubElement(annotation, "ALIGNABLE_ANNOTATION", references)
            xml.SubElement(aligned, "ANNOTATION_VALUE").text = _printed(moment.title)
    kind = {"GRAPHIC_REFERENCES": "false", "LINGUISTIC_TYPE_ID": "moments", "TIME_ALIGNABLE": "true"}
    xml.SubElement(root, "LINGUISTIC_TYPE", kind)
    xml.indent(root)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{xml.tostring(root, encoding="unicode")}\n'


def _printed(text: str) -> str:
    """A text without what XML cannot hold."""
    return "".join(letter if letter.isprintable() else "\ufffd" for letter in text)

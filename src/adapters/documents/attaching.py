"""An e-invoice put into its PDF, where programs look for it. What it was made of alone decides the bytes."""

import io
from typing import Final

from pypdf import PdfReader, PdfWriter
from pypdf.generic import ArrayObject, NameObject, TextStringObject

FILE_NAME: Final = "factur-x.xml"


def attach(pdf: bytes, xml: bytes) -> bytes:
    """The PDF with the file in it."""
    writer = PdfWriter(clone_from=PdfReader(io.BytesIO(pdf)))
    added = writer.add_attachment(FILE_NAME, xml)
    specification = added.pdf_object
    specification[NameObject("/AFRelationship")] = NameObject("/Alternative")
    specification[NameObject("/UF")] = TextStringObject(FILE_NAME)
    specification[NameObject("/Desc")] = TextStringObject("EN 16931")
    embedded = specification["/EF"]["/F"].get_object()  # type: ignore[index]  # as it was just made
    embedded[NameObject("/Subtype")] = NameObject("/text#2Fxml")
    reference = specification.indirect_reference
    if reference is not None:
        writer.root_object[NameObject("/AF")] = ArrayObject([reference])
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()

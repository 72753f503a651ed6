"""Commands of the command line that show documents."""

import argparse
from typing import Any
from uuid import UUID

from application.invoicing.show_document import show_document
from bootstrap import ports_of
from commandline.outcome import Outcome, add_tool
from settings import Settings


def add_documents(nouns: dict[str, Any]) -> None:
    """Parsers of everything here."""
    show = add_tool(nouns["document"], "show", run_document, "one invoice or credit note, with its buyer")
    show.add_argument("--document-id", type=UUID, required=True, metavar="UUID")


def run_document(settings: Settings, values: argparse.Namespace) -> Outcome:
    with ports_of(settings) as ports:
        return Outcome(show_document(ports.store, ports.personal, values.document_id))

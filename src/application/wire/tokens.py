"""The port to a tokenizer, for what an upstream does not report."""

from typing import Protocol

from application.wire.prompt import PromptText


class TokenCounter(Protocol):
    """Counts tokens locally. Blocking, up to some 100 ms: call it from a thread. Safe to use from several.

    Counts are of a published vocabulary, not of every provider's own: whoever charges by them says `estimated`.
    """

    def count_text(self, text: str, *, model: str = "") -> int:
        """Tokens of `text` as the model named `model` would see it; control tokens in it are plain text. Never raises."""
        ...

    def count_prompt(self, prompt: PromptText, *, model: str = "") -> int:
        """Tokens of a prompt: texts, tools and what a chat template adds per message.

        Images, audio and files count as nothing.
        """
        ...

"""The endpoints under `/audio`: speech from text, and text from speech."""

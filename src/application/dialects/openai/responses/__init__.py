"""The endpoint `/responses`: passed on where the upstream has it too, translated to chat completions where it has not."""

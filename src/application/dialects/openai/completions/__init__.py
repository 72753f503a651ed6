"""The endpoint `/completions`: prompts without messages, older than chat and still asked for."""

"""Presets: what is known of some providers, as dated data, so that enabling one is choosing it and pasting a key."""

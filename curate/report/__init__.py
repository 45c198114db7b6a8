"""The frame that all HTML pages share: one file, no network, no scripts, light and dark."""

"""The host itself: set-up, the keys that may log in, plugins."""

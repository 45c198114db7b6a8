"""Choosing records: splits without leaks."""

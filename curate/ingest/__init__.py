"""Readers, one for each source format."""

"""Training sets: prompt templates, formats, validation."""

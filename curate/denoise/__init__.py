"""Denoising at character, sentence, word, dialogue and OCR-line level; rule files are data."""

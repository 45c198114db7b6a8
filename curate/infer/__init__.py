"""Asking a fine-tuned model: a vLLM server or vLLM itself, within a budget, resumable, every answer checked."""

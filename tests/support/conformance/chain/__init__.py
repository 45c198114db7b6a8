"""The whole way on a small scale: a set that a tiny model can learn, trained, served by vLLM, asked and scored."""

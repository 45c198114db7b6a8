"""Real trainers beside the tests: their environments, a tiny Qwen2-VL, and programs that run inside them."""

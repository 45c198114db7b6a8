"""Label registries: what labels a task has, their aliases, and which are allowed."""

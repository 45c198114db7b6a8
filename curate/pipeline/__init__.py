"""Recipe, plan, stages and the engine that maps stages over shards."""

"""A dataset on disk: shards, ledger, pictures."""

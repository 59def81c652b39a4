"""Scoring many files in shards, wherever the shards are done."""

"""Events in columns: reading, writing, caching."""

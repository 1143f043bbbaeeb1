"""Text to batches: readers, preparation into memory-mapped shards, masking, batching."""

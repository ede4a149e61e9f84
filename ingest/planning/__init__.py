"""What is asked for: run file and seeds in, shards out; deterministic and additive."""

"""What enters the lake, and the lake itself: declared schemas, keys, files, benchmarks, readers of foreign logs."""

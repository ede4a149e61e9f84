"""Fresh problems: files of dated problems → checked problems → a release of a benchmark of one's own.

``layouts`` reads LiveCodeBench's lines and ours, ``similarity`` finds what is known already, ``releases`` writes. What
runs solutions is ``runners/ingest_problems.py``; the declaration that comes of it is ``benchmarks/own.py``.
"""

"""The queue: what SLURM's commands print, as dataclasses, and what we hand it, as text. Imports ingest only."""

"""benchForge measures code LLMs and publishes numbers that anyone can recompute."""

__version__ = "0.1.0"

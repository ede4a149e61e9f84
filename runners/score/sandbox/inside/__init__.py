"""Code that runs inside the outer sandbox. Standard library only; imports nothing outside this folder.

Theory of operation: see ``server`` (one warm process per flavour) and ``child`` (one process per program). Nothing here
holds an answer, and nothing here decides a verdict: what leaves this folder is a claim that the judge checks.
"""

"""The audit: what is wrong with a published score, seen in its log. Causes are rows of ``seeds/known_causes.csv``."""

"""The gate: what must hold of an artifact before it leaves, declared as rules; Great Expectations judges them."""

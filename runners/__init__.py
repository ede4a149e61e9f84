"""What runs: one room per stage. Nothing imports runners."""

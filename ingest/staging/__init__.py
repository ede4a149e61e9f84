"""Other people's problem files and prompt texts: found, checked against their pins, put in place, read from there."""

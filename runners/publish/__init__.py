"""What leaves the house: the exposures of the build, assembled into Hub repositories and uploaded."""

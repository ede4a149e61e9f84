"""The images: definition files, the digests that were recorded, and the check that a file is the recorded one."""

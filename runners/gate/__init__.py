"""`check` and `verify`: facts of the lake and the marts are taken here and handed to the expectations."""

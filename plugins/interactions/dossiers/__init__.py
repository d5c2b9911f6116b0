"""The story of a contact to take along; a long one is made by the worker."""

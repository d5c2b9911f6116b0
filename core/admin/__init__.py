"""Administration: users, roles, plugins, deliveries."""

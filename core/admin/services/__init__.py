"""What the administration does: accounts, teams, roles, settings, the machine room."""

"""Support: tickets whose messages are interactions."""

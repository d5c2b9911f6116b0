"""Taking back what one did: from the message after it, or from Recent changes."""

"""What was said and done with a contact: the shared record every team writes on."""

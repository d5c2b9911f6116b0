"""Following a customer or a conversation, to be told what is new there."""

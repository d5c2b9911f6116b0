"""What happened that somebody should know of, told to them one by one."""

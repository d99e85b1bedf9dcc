"""What people meet: the web site assembled, the demonstration."""

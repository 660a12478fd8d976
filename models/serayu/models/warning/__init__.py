"""What is said to people about a hazard: one bulletin, and every form in which it goes out."""

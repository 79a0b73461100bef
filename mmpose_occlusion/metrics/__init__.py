"""How well joints are found: pure functions, and metrics over them."""

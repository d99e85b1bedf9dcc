"""What the platform's tests share: one factory a model, and a small world with a named cast."""

"""What `warmline up` and `warmline demo` do once everything runs: fill the sandbox, connect it, show what comes of it."""

"""For whoever runs Warmline: what happened (`meters`), who is at work (`presence`), how all of it stands (`states`), whether tasks
come in time (`freshness`), what ties one job's lines together (`tracing`), and how a program asks (`doors`)."""

"""Meta's Graph API, for every provider that is read through it: calls, errors, sweeps, sign-in, hints and subscriptions."""

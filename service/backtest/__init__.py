"""What the rules would have done with files, or with what a workspace holds. Never writes to a network or a CRM."""

"""A social network and a CRM on loopback that speak the wire formats of X and HubSpot.

For trying things out, for demonstrations and for tests. Nothing in the product imports it, and it imports nothing of
the product: the two meet on the wire, as they would meet the vendors.
"""

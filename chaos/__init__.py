"""`make chaos`: the whole system, in processes of its own, under a stream of posts and of people's doings, while faults are
injected at random instants from a printed seed. At the end, network, tables and CRM are compared.

Every process of Warmline is started by its own command, below `chaos.process`, which hands it a clock that can be stepped and
lets it be killed right before or after a call or a commit. Nothing in the product knows of this.
"""

"""HTTP and nothing above it: URLs, JSON, status codes, quotas and retries.

Imports ``planhat_orm.errors`` only and never sees a Model. It does not promise to know what an answer means: a
list, a record and a bulk result are all JSON here.
"""

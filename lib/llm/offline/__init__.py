"""The offline endpoint: an OpenAI-compatible server on loopback that plays teacher and judge by rules over the text it is given.

It is no language model and says so: its model is called `offline-rules`, and its fingerprint names the version of the rules.
`VERSION` goes up with every change of a rule, since it keys the request store. Embeddings are all-MiniLM-L6-v2's, a real model's.
"""

VERSION = "1"
RULES = "offline-rules"
MINILM = "all-MiniLM-L6-v2"
FINGERPRINT = f"{RULES}-{VERSION}"
MODEL = {"teacher": RULES, "judge": RULES, "embedder": MINILM}
IDENTITY = {"teacher": FINGERPRINT, "judge": FINGERPRINT, "embedder": f"{MINILM}-53aa51172d142c89"}

"""Generation: documents → chunks → questions → answers → RAFT examples → splits → files under `dataset/`.

What `1_gen.ipynb` calls, one module a stage. The teacher is reached through `lib.llm` only; nothing here opens a connection.
"""

"""Pictures with captions: `finding` reads them, `words` and `embeddings` make vectors of them, `folder` is the set."""

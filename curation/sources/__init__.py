"""English problems of any source, as rows: GSM8K, MetaMathQA, MathInstruct, or any file or Hub dataset."""

from curation.sources.reader import read_problems, read_source, sources_signature

__all__ = ["read_problems", "read_source", "sources_signature"]

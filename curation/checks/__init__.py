"""One module a check. A check scores and observes; `curation.decide` alone decides."""

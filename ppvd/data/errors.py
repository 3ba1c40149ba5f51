"""The mistakes that shards can hold."""


class SampleError(ValueError):
    """Frames, bytes or a json that break the schema, seen without knowing the file."""


class ShardError(ValueError):
    """A shard or manifest that is not what it should be; the message names the file."""


class BadSampleError(ShardError):
    """One sample of a shard is bad; the others can be read."""

"""The mistakes that shards can hold."""


class SampleError(ValueError):
    """Frames, bytes or a json that break the schema, seen without knowing the file."""


class UnfitSampleError(SampleError):
    """A sample that its source can name but not give.

    Args:
        key: Name of the sample.
        reason: What is wrong with it.
    """

    def __init__(self, key: str, reason: str) -> None:
        super().__init__(reason)
        self.key = key


class ShardError(ValueError):
    """A shard or manifest that is not what it should be; the message names the file."""


class BadSampleError(ShardError):
    """One sample of a shard is bad; the others can be read."""

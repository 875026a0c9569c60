"""The tier over Redis: datasets that all processes with the same source share which point at the same Redis.

**A lookup** (`tier`, `codec`)

1. `RedisTier.get` asks for the first 256 KiB of the value's key.  The header tells the length of the whole value; a
   longer one is fetched by a second command, whose deadline grows with its length.
2. `codec.unpack` believes nothing: magic, version, lengths, checksum and facts are checked.  A flaw is a
   counted `Miss`.
3. An entry that has expired, or was read before a purge of one of its tags (`fences`), is a `Miss` too.

**A write** (`writes`, `backlog`)

1. `RedisTier.put` queues the entry; a full backlog drops and counts it.  No request waits for a write.
2. The one writer task adds the query to the index of each of its tags, and then sets the value with its expiry.
3. It reads the fences of the tags.  When a purge has overtaken the write, the value is removed again.
4. It sends `landed` on the news channel.

**A lease** (`leases`, `news`)

1. A process that finds no value sets the key of the lease, with its own token and an expiry, unless the key is there.
2. The first one reads the source.  A task renews the lease while the holder runs; when the holder dies, it expires.
3. The others wait (`RedisTier.wait`): they register for news first, then look for the value, the lease, and once more
   for the value.  The value lands before its lease goes, so if both lookups find nothing, no process is reading.  A
   slow poll stands behind the news.
4. The release goes through the backlog behind the value, compares the token, and sends `released`.

**A purge** (`purges`, `fences`)

1. The process raises its own fence: from now on it takes no entry that was read before.
2. It raises the fence in Redis and sends `purge`, so that every other process raises its own and drops its memory.
3. It removes the values that the index of the tag names, in small steps.
4. Without Redis the purge is owed.  It is paid when Redis answers again, before any lookup.

Every command has a deadline, and a circuit breaker stands before Redis (`link`, `breaker`): a Redis that hangs costs
the requests that had asked it, once.  `context` is the value that the parts share: link, clock,
backlog, fences, counts.
"""

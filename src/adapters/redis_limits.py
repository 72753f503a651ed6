"""Shares rate-limit counts through Redis or Valkey (7.0 commands): one script, one round trip an exchange.

Keys: `tokenok:limits:{window}` (totals, gone after two windows), `tokenok:limits:processes` (who is alive),
`tokenok:limits:open:{process}` (open requests, gone with a silent process). Losing any of it costs accuracy only.
"""

from collections.abc import Sequence
from typing import Final
from uuid import UUID

import msgspec
from redis.asyncio import Redis
from redis.exceptions import RedisError

from application.limit_sync import Count, Exchange, LimitSyncUnavailable

_SCRIPT: Final = """
local window, processes, open_prefix = KEYS[1], KEYS[2], KEYS[3]
local me, silent_ms = ARGV[1], tonumber(ARGV[2])
local counts = cmsgpack.unpack(ARGV[3])
local time = redis.call('TIME')
local now_ms = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('ZADD', processes, now_ms, me)
redis.call('ZREMRANGEBYSCORE', processes, '-inf', now_ms - silent_ms)
redis.call('PEXPIRE', processes, silent_ms)
local alive = redis.call('ZRANGE', processes, 0, -1)
local function add(field, delta)
    if delta == 0 then return tonumber(redis.call('HGET', window, field) or 0) end
    return redis.call('HINCRBY', window, field, delta)
end
local totals = {}
for index, count in ipairs(counts) do
    local subject, open_here = count[1], count[4]
    if open_here == 0 then
        redis.call('HDEL', open_prefix .. me, subject)
    else
        redis.call('HSET', open_prefix .. me, subject, open_here)
    end
    local open_total = 0
    for _, process in ipairs(alive) do
        open_total = open_total + tonumber(redis.call('HGET', open_prefix .. process, subject) or 0)
    end
    totals[index] = {add(subject .. ':r', count[2]), add(subject .. ':t', count[3]), open_total}
end
redis.call('PEXPIRE', window, 180000)
redis.call('PEXPIRE', open_prefix .. me, silent_ms)
return cmsgpack.pack({totals, #alive})
"""
_SILENT_MS: Final = 3_000
_PREFIX: Final = "tokenok:limits:"


class RedisLimitSync:
    """One process' end of the exchange. Owns nothing but its name; the client belongs to the caller."""

    def __init__(self, client: Redis, process_id: UUID, *, prefix: str = _PREFIX) -> None:
        self._script = client.register_script(_SCRIPT)
        self._process = process_id.hex
        self._prefix = prefix

    async def exchange(self, window: int, counts: Sequence[Count]) -> Exchange:
        """Raises: LimitSyncUnavailable."""
        keys = [f"{self._prefix}{window}", f"{self._prefix}processes", f"{self._prefix}open:"]
        packed = msgspec.msgpack.encode(
            [(one.subject.hex, one.requests, one.tokens, one.open) for one in counts]
        )
        try:
            answer = await self._script(keys=keys, args=[self._process, _SILENT_MS, packed])
        except (RedisError, OSError) as error:
            raise LimitSyncUnavailable(type(error).__name__) from None
        return _decoder.decode(answer)


_decoder: Final = msgspec.msgpack.Decoder(Exchange)

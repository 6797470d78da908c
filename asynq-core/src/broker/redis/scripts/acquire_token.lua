-- acquire_token: take a token of a semaphore.
-- Compat: the script of Go's x/rate, but a task that has a token keeps it when all are taken, too.
-- KEYS[1] asynq:sema:<scope>   sorted set of task IDs by the second in which their tokens expire
-- ARGV[1] number of tokens   ARGV[2] now, unix seconds   ARGV[3] when the token expires, unix seconds   ARGV[4] task id
-- Returns 1 taken, 0 all are taken.
local now = tonumber(ARGV[2])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now - 1)
if redis.call('ZCARD', KEYS[1]) >= tonumber(ARGV[1]) and not redis.call('ZSCORE', KEYS[1], ARGV[4]) then
  return 0
end
redis.call('ZADD', KEYS[1], ARGV[3], ARGV[4])
return 1

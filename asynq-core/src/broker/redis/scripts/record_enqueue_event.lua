-- record_enqueue_event: add to the history of a scheduler entry.
-- Compat: Go's recordSchedulerEnqueueEvent, whose keys never expire.
-- KEYS[1] asynq:scheduler_history:<entry>   sorted set
-- ARGV[1] unix second of the event   ARGV[2] encoded SchedulerEnqueueEvent
-- ARGV[3] how many events to keep   ARGV[4] time to live from now on, seconds
-- Returns nothing.
redis.call('ZREMRANGEBYRANK', KEYS[1], 0, -ARGV[3])
redis.call('ZADD', KEYS[1], ARGV[1], ARGV[2])
redis.call('EXPIRE', KEYS[1], ARGV[4])
return redis.status_reply('OK')

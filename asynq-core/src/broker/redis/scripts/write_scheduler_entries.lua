-- write_scheduler_entries: publish what a scheduler has registered.
-- Compat: Go's writeSchedulerEntries: the list reads back in reverse.
-- KEYS[1] asynq:schedulers:{<host>:<pid>:<id>}   list
-- ARGV[1] time to live, seconds   ARGV[2..] encoded SchedulerEntry
-- Returns nothing.
redis.call('DEL', KEYS[1])
for at = 2, #ARGV do redis.call('LPUSH', KEYS[1], ARGV[at]) end
redis.call('EXPIRE', KEYS[1], ARGV[1])
return redis.status_reply('OK')

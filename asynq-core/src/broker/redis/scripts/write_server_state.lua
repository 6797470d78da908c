-- write_server_state: publish what a server tells about itself and the tasks it runs.
-- Compat: Go's writeServerState.
-- KEYS[1] asynq:servers:{<host>:<pid>:<id>}   string
-- KEYS[2] asynq:workers:{<host>:<pid>:<id>}   hash
-- ARGV[1] time to live, seconds   ARGV[2] encoded ServerInfo   ARGV[3..] for each task: id, encoded WorkerInfo
-- Returns nothing.
redis.call('SETEX', KEYS[1], ARGV[1], ARGV[2])
redis.call('DEL', KEYS[2])
for at = 3, #ARGV, 2 do redis.call('HSET', KEYS[2], ARGV[at], ARGV[at + 1]) end
if #ARGV > 2 then redis.call('EXPIRE', KEYS[2], ARGV[1]) end
return redis.status_reply('OK')

-- archive_members: move members of an aggregation set that cannot be aggregated to the archive; drop IDs without a
--   task.
-- Compat: Go gives up on the whole set, again and again. Nothing is counted, as no attempt was made; the next
--   settlement of the queue trims the archive.
-- Begins with fields.lua, which reads tasks.
-- KEYS[1] asynq:{<queue>}:g:<group>:<set id>   sorted set
-- KEYS[2] asynq:{<queue>}:aggregation_sets     sorted set
-- KEYS[3] asynq:{<queue>}:archived             sorted set
-- ARGV[1] task key prefix   ARGV[2] now, unix seconds
-- ARGV[3..] for each member: id, 1 or 0, and the message to store if it is 1
-- Returns 1 done, 0 the set is no more or they are no more in it: nothing changed.
local call = redis.call
if not call('ZSCORE', KEYS[2], KEYS[1]) or ARGV[3] and not call('ZSCORE', KEYS[1], ARGV[3]) then return 0 end
for at = 3, #ARGV, 3 do
  local id, task = ARGV[at], ARGV[1] .. ARGV[at]
  local msg = fields_of(task, 'msg')[1]
  call('ZREM', KEYS[1], id)
  if msg then
    if ARGV[at + 1] == '1' then call('HSET', task, 'msg', ARGV[at + 2]) end
    call('HSET', task, 'state', 'archived')
    call('ZADD', KEYS[3], ARGV[2], id)
  end
end
if call('EXISTS', KEYS[1]) == 0 then call('ZREM', KEYS[2], KEYS[1]) end
return 1

-- enqueue: store new tasks of one queue, each pending, scheduled or in a group, unique or not.
-- Compat: the effects are those of Go's enqueue, schedule and addToGroup scripts and their unique forms, except
--   that ID and lock are both checked before anything is written, so that a refused task leaves no lock behind.
-- KEYS[1] asynq:{<queue>}:pending     list
-- KEYS[2] asynq:{<queue>}:scheduled   sorted set
-- KEYS[3] asynq:{<queue>}:groups      set
-- KEYS[4..] asynq:queues              set, given where it can share a script with the queue's keys
-- ARGV[1] queue name   ARGV[2] task key prefix   ARGV[3] group key prefix
-- ARGV[4] now, unix seconds   ARGV[5] now, unix nanoseconds
-- ARGV[6..] for each task: placement (p pending, s scheduled, g group), id, encoded message,
--   lock key (empty: none), lock time in seconds, and the due second or the group's name;
--   then, for the one task of a scheduler's tick, three more: key of asynq:{<queue>}:x:tick (sorted set of entries by
--   their last tick), entry, unix second of the tick
-- Returns one element for each task: 1 stored, 0 the id already exists, or the id that holds the lock;
--   2 when the entry has had this tick or a later one: then nothing was changed.
local call = redis.call
local function insert(task, id, at)
  local placement, msg, lock, ttl, where = ARGV[at], ARGV[at + 2], ARGV[at + 3], ARGV[at + 4], ARGV[at + 5]
  if lock ~= '' then
    local holder = call('GET', lock)
    if holder then return holder end
  end
  if call('EXISTS', task) == 1 then return 0 end
  if placement == 'p' then
    call('HSET', task, 'msg', msg, 'state', 'pending', 'pending_since', ARGV[5])
    call('LPUSH', KEYS[1], id)
  elseif placement == 's' then
    call('HSET', task, 'msg', msg, 'state', 'scheduled')
    call('ZADD', KEYS[2], where, id)
  else
    call('HSET', task, 'msg', msg, 'state', 'aggregating', 'group', where)
    call('ZADD', ARGV[3] .. where, ARGV[4], id)
    call('SADD', KEYS[3], where)
  end
  if lock ~= '' then
    call('HSET', task, 'unique_key', lock)
    call('SET', lock, id, 'EX', ttl)
  end
  return 1
end

local last = #ARGV - (#ARGV - 5) % 6
local ticks, entry, tick = ARGV[last + 1], ARGV[last + 2], tonumber(ARGV[last + 3])
if ticks then
  local mark = call('ZSCORE', ticks, entry)
  if mark and tonumber(mark) >= tick then return { 2 } end
end
if KEYS[4] then call('SADD', KEYS[4], ARGV[1]) end
local results = {}
for at = 6, last, 6 do
  local id = ARGV[at + 1]
  results[#results + 1] = insert(ARGV[2] .. id, id, at)
end
if ticks then
  -- A tick that is refused as a duplicate has had its turn as well. Marks of entries that are long gone go away.
  local keep = 400 * 86400
  call('ZADD', ticks, tick, entry)
  for _, gone in ipairs(call('ZRANGEBYSCORE', ticks, '-inf', tick - keep, 'LIMIT', 0, 10)) do
    call('ZREM', ticks, gone)
  end
  call('EXPIRE', ticks, keep)
end
return results

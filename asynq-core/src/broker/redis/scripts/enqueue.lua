-- enqueue: store new tasks of one queue, each pending, scheduled or in a group, unique or not.
-- Begins with fields.lua, lock.lua and insert.lua, which stores one of them.
-- KEYS[1] asynq:{<queue>}:pending     list
-- KEYS[2..] asynq:queues              set, given where it can share a script with the queue's keys
-- ARGV[1] queue name, or empty where that set is not given   ARGV[2] what the queue's keys begin with
-- ARGV[3] now, unix seconds   ARGV[4] now, unix nanoseconds
-- ARGV[5..] for the one task of a scheduler's tick: t, key of asynq:{<queue>}:x:tick (sorted set of entries by their last
--   tick), entry, unix second of the tick; then each task (see insert.lua)
-- Returns one element for each task: 1 stored, 0 the id already exists, or the id that holds the lock;
--   2 when the entry has had this tick or a later one: then nothing was changed.
local at, ticks, entry, tick = 5, nil, nil, nil
if ARGV[at] == 't' then
  ticks, entry, tick, at = ARGV[at + 1], ARGV[at + 2], tonumber(ARGV[at + 3]), at + 4
  local mark = call('ZSCORE', ticks, entry)
  if mark and tonumber(mark) >= tick then return { 2 } end
end
local pending, ready, groups = KEYS[1], nil, nil
-- More arguments than one task has. Nothing is stored where the key holds something else.
if #ARGV - at > 5 then
  call('LLEN', pending)
  ready, groups = {}, {}
end
local queue = { pending = pending, prefix = ARGV[2], now = ARGV[3], nanos = ARGV[4], ready = ready, groups = groups }
queue.tasks = queue.prefix .. 't:'
if ARGV[1] ~= '' then call('SADD', KEYS[2], ARGV[1]) end
local results, last = {}, #ARGV
local is_done, problem = pcall(function()
  local count = 0
  while at <= last do
    count = count + 1
    results[count], at = insert(queue, at)
  end
end)
-- In pieces that Lua can unpack.
local function put(command, key, what)
  for first = 1, #what, 500 do
    call(command, key, unpack(what, first, math.min(first + 499, #what)))
  end
end
if ready then
  put('LPUSH', pending, ready)
  put('SADD', queue.prefix .. 'groups', groups)
end
-- What was stored before has its place.
if not is_done then error(problem, 0) end
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

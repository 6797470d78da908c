-- enqueue: store new tasks of one queue, each pending, scheduled or in a group, unique or not.
-- Begins with columns.lua, which ends the call where it can; fields.lua, lock.lua; and insert.lua, which stores one task.
-- KEYS[1] asynq:{<queue>}:pending     list
-- KEYS[2..] asynq:queues              set, given where it can share a script with the queue's keys
-- ARGV[1] queue name, or empty where that set is not given   ARGV[2] what the queue's keys begin with
-- ARGV[3] now, unix seconds   ARGV[4] now, unix nanoseconds   ARGV[5] how the tasks are given
-- ARGV[6..] with p and g columns (see columns.lua)
--   with r for each task: kind, id, message, and more (see insert.lua)
--   with t for the one task of a scheduler's tick: key of asynq:{<queue>}:x:tick (sorted set of entries by their last
--   tick), entry, unix second of the tick; then the task as with r
-- Returns how many tasks there were, where all are stored; otherwise one element for each: 1 stored, 0 the id already
--   exists, or the id that holds the lock; and 2 alone when the entry has had this tick or a later one: then nothing
--   was changed.
local form, last, at, count, refused = ARGV[5], #ARGV, 6, 0, nil
local ticks, entry, tick
if form == 't' then
  ticks, entry, tick, at = ARGV[6], ARGV[7], tonumber(ARGV[8]), 9
  local mark = call('ZSCORE', ticks, entry)
  if mark and tonumber(mark) >= tick then return { 2 } end
end
if ARGV[1] ~= '' then call('SADD', KEYS[2], ARGV[1]) end
local queue = { pending = KEYS[1], prefix = ARGV[2], tasks = ARGV[2] .. 't:', now = ARGV[3], nanos = ARGV[4] }

-- Stores one task: where what it has beside these ends.
local function store(kind, id, msg, more)
  local outcome, behind = insert(queue, kind, id, msg, more)
  count = count + 1
  if outcome ~= 1 then
    refused = refused or {}
    refused[count] = outcome
  end
  return behind
end

if form == 'p' or form == 'g' then
  local each = (last - 5) / (form == 'p' and 3 or 4)
  for i = 6 + each, 5 + 2 * each do store(form, ARGV[i], ARGV[i + each], i + 2 * each) end
else
  while at <= last do at = store(ARGV[at], ARGV[at + 1], ARGV[at + 2], at + 3) end
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
if not refused then return count end
for i = 1, count do refused[i] = refused[i] or 1 end
return refused

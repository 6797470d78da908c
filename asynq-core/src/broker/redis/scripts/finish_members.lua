-- finish_members: delete members of an aggregation set, and store the task that stands for them, all or nothing.
-- Compat: Go's enqueue of the aggregated task and its deleteAggregationSet, between which a crash makes it aggregate
--   the same tasks again; and Go never releases the members' locks.
-- Begins with fields.lua, lock.lua and insert.lua, which stores the task.
-- KEYS[1] asynq:{<queue>}:g:<group>:<set id>   sorted set
-- KEYS[2] asynq:{<queue>}:aggregation_sets     sorted set
-- KEYS[3] asynq:{<queue>}:pending              list
-- ARGV[1] what the queue's keys begin with   ARGV[2] now, unix seconds   ARGV[3] now, unix nanoseconds
-- ARGV[4] number of members   ARGV[5] 1 if they are all that the set has   ARGV[6] number of locks
-- ARGV[7..] the keys of the members' tasks; then for each lock: its key, the id of its task; then the new task, if there
--   is one: kind, id, message and more (see insert.lua)
-- Returns 1 done, -1 the set is no more or they are no more in it, 0 the id of the new task exists, or the id that
--   holds its lock. Anything but 1 changed nothing.
local count, locks, prefix = tonumber(ARGV[4]), 7 + tonumber(ARGV[4]), ARGV[1] .. 't:'
local function id_in(key) return key:sub(#prefix + 1) end
-- Members leave a set in the batches in which they are finished: the first stands for all.
if not call('ZSCORE', KEYS[2], KEYS[1]) or count > 0 and not call('ZSCORE', KEYS[1], id_in(ARGV[7])) then
  return -1
end
local at = locks + 2 * tonumber(ARGV[6])
if ARGV[at] then
  local queue = { pending = KEYS[3], prefix = ARGV[1], tasks = prefix, now = ARGV[2], nanos = ARGV[3] }
  local stored = insert(queue, ARGV[at], ARGV[at + 1], ARGV[at + 2], at + 3)
  if stored ~= 1 then return stored end
end
-- As a whole it goes in a tenth of the time.
local are_all = ARGV[5] == '1'
if are_all then call('DEL', KEYS[1]) end
for first = 7, locks - 1, 500 do
  local last = math.min(first + 499, locks - 1)
  if not are_all then
    local ids = {}
    for member = first, last do ids[#ids + 1] = id_in(ARGV[member]) end
    call('ZREM', KEYS[1], unpack(ids))
  end
  call('DEL', unpack(ARGV, first, last))
end
for lock = locks, at - 1, 2 do
  if redis.pcall('GET', ARGV[lock]) == ARGV[lock + 1] then call('DEL', ARGV[lock]) end
end
if are_all or call('EXISTS', KEYS[1]) == 0 then call('ZREM', KEYS[2], KEYS[1]) end
return 1

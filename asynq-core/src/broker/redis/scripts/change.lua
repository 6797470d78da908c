-- change: run, archive or delete tasks: one by its ID, or the first of a collection.
-- Compat: Go's runTask, archiveTask, deleteTask and their forms for all tasks of a state, which take a whole collection
--   in one call, leave the hashes of trimmed tasks behind, and forget locks, `pending_since` and `group`.
-- Begins with fields.lua, which reads tasks.
-- KEYS[1] asynq:{<queue>}:pending    list
-- KEYS[2] asynq:{<queue>}:archived   sorted set
-- KEYS[3] asynq:{<queue>}:groups     set
-- KEYS[4] asynq:{<queue>}:lease      sorted set
-- KEYS[5] asynq:{<queue>}:aggregation_sets   sorted set
-- KEYS[6..] the collection, unless one task is given by its ID
-- ARGV[1] run, archive or delete   ARGV[2] queue key prefix   ARGV[3] now, unix seconds   ARGV[4] now, unix nanoseconds
-- ARGV[5] archive cutoff, unix seconds   ARGV[6] how many stay in the archive
-- ARGV[7] channel on which the end of a task that somebody waits for is published
-- ARGV[8] the task's ID, or the state of the collection   ARGV[9] the collection's group, if it is one
-- ARGV[10] how many at most, where a collection is given
-- Returns for one task {1} changed, {0} no such task, {-1, state} refused, {-2} an aggregator has it; for a collection
--   {changed, dropped, left}; then the messages of deleted tasks that may hold a lock which their hash does not name.
local call, try = redis.call, redis.pcall
local action, prefix, now, groups = ARGV[1], ARGV[2], ARGV[3], KEYS[3]
local unnamed = {}

local function delete(id, task, fields)
  local lock = fields[4]
  if lock and lock ~= '' then
    if try('GET', lock) == id then call('DEL', lock) end
  elseif fields[3] and fields[1] then
    -- Compat: Go notes the lock of a grouped task in its message alone.
    unnamed[#unnamed + 1] = fields[1]
  end
  call('DEL', task)
end

local function read(task) return fields_of(task, 'msg', 'state', 'group', 'unique_key') end

-- Deletes the first tasks of the archive.
local function trim(count)
  if count < 1 then return end
  count = math.min(count, 200)
  local ids = call('ZRANGE', KEYS[2], 0, count - 1)
  call('ZREMRANGEBYRANK', KEYS[2], 0, count - 1)
  for _, id in ipairs(ids) do
    local task = prefix .. 't:' .. id
    delete(id, task, read(task))
  end
  if #ids > 0 then try('INCRBY', prefix .. 'x:trimmed', #ids) end
end

local actions = {
  run = function(id, task)
    call('LPUSH', KEYS[1], id)
    call('HSET', task, 'state', 'pending', 'pending_since', ARGV[4])
    -- Without its group a failure leads to a retry, not back into the group.
    call('HDEL', task, 'group', 'x_group', 'x_own', 'x_run', 'x_crash')
  end,
  archive = function(id, task)
    call('ZADD', KEYS[2], now, id)
    call('HSET', task, 'state', 'archived')
    call('HDEL', task, 'x_own', 'x_run')
  end,
  delete = delete,
}

local waits = prefix .. 'x:waits'
local is_waited_in = call('EXISTS', waits) == 1

local function change(id, task, fields)
  actions[action](id, task, fields)
  if is_waited_in and action ~= 'run' and try('ZREM', waits, id) == 1 then try('PUBLISH', ARGV[7], task) end
end

local function trim_archive()
  if action ~= 'archive' then return end
  trim(call('ZCOUNT', KEYS[2], '-inf', ARGV[5]))
  trim(call('ZCARD', KEYS[2]) - tonumber(ARGV[6]))
end

local function forget_if_empty(group)
  if call('EXISTS', prefix .. 'g:' .. group) == 0 then call('SREM', groups, group) end
end

local function with_unnamed(answer)
  for _, message in ipairs(unnamed) do answer[#answer + 1] = message end
  return answer
end

local function change_one(id)
  local task = prefix .. 't:' .. id
  local fields = read(task)
  local state, group = fields[2], fields[3] or ''
  if call('EXISTS', task) == 0 or (not fields[1] and action ~= 'delete') then return { 0 } end
  -- Compat: where Go's trimming failed half-way, an archived task says that it is active.
  if state == 'active' and call('ZSCORE', KEYS[2], id) and not call('ZSCORE', KEYS[4], id) then state = 'archived' end
  if state == 'active' or (action == 'run' and state == 'pending') or (action == 'archive' and state == 'archived') then
    return { -1, state }
  end
  if state == 'aggregating' and not call('ZSCORE', prefix .. 'g:' .. group, id) then
    for _, set in ipairs(call('ZRANGE', KEYS[5], 0, 999)) do
      if type(try('ZSCORE', set, id)) == 'string' then return { -2 } end
    end
  end
  if state == 'pending' then
    call('LREM', KEYS[1], '-1', id)
  elseif state == 'aggregating' then
    call('ZREM', prefix .. 'g:' .. group, id)
    forget_if_empty(group)
  elseif state == 'scheduled' or state == 'retry' or state == 'archived' or state == 'completed' then
    call('ZREM', prefix .. state, id)
  end
  change(id, task, fields)
  trim_archive()
  return with_unnamed({ 1 })
end

local function change_first(collection, state, group, limit)
  local ids = {}
  if state == 'pending' then
    local newest_first = call('LRANGE', collection, -limit, -1)
    for i = #newest_first, 1, -1 do ids[#ids + 1] = newest_first[i] end
  else
    ids = call('ZRANGE', collection, 0, limit - 1)
  end
  -- All are read before any is changed: no ID may leave the collection if its task cannot be read.
  local stored = {}
  for i, id in ipairs(ids) do stored[i] = read(prefix .. 't:' .. id) end
  if state == 'pending' then
    call('LTRIM', collection, 0, -limit - 1)
  else
    call('ZREMRANGEBYRANK', collection, 0, limit - 1)
  end
  local changed, seen = 0, {}
  for i, id in ipairs(ids) do
    local fields = stored[i]
    -- An ID that stands here by mistake, or twice, is dropped, and its task left where it says it is.
    local is_here = fields[2] == state or (fields[2] == 'active' and not call('ZSCORE', KEYS[4], id))
    if is_here and not seen[id] and (fields[1] or action == 'delete') then
      change(id, prefix .. 't:' .. id, fields)
      seen[id] = true
      changed = changed + 1
    end
  end
  if state == 'aggregating' then forget_if_empty(group) end
  trim_archive()
  local left = state == 'pending' and call('LLEN', collection) or call('ZCARD', collection)
  return with_unnamed({ changed, #ids - changed, left })
end

if ARGV[10] then return change_first(KEYS[6], ARGV[8], ARGV[9], tonumber(ARGV[10])) end
return change_one(ARGV[8])

-- exchange: settle runs that have ended, then lease pending tasks, for any number of queues in one call.
-- Compat: the effects are those of Go's done, markAsComplete, retry, archive, requeue and dequeue scripts, with
--   every precondition checked before the first write. On a cluster each call names one queue only.
-- KEYS[1..] for each queue: pending, active, lease, paused, retry, archived, completed, processed:<day>,
--   failed:<day>, processed, failed
-- ARGV[1] number of queues   ARGV[2] now, unix seconds   ARGV[3] now, unix nanoseconds
-- ARGV[4] when the daily counters expire, unix seconds   ARGV[5] end of new leases, unix seconds
-- ARGV[6] server id   ARGV[7] token of the new runs   ARGV[8] free slots   ARGV[9] 1 strict, 0 weighted
-- ARGV[10] seed of the draw   ARGV[11] archive cutoff, unix seconds   ARGV[12] archive limit
-- ARGV[13..] for each queue: task key prefix, weight (0: only settle);
--   then for each settlement: queue number, kind, id, run token (empty: none), latest end of its lease, and
--   d done: lock key (empty: none)          c complete: lock key, message, kept until, 1 or 0, result
--   r retry: message, due, 1 if a failure   a archive: 1 or 0, message
--   q requeue: 1 if its worker died
-- Returns {settled: 1 applied or 0 refused for each; leased: queue number, id, message, ...;
--   dropped: queue number, id, ...; paused: queue numbers}.
local call, try = redis.call, redis.pcall
local queues, now, nanos, day_end = tonumber(ARGV[1]), ARGV[2], ARGV[3], ARGV[4]
local PENDING, ACTIVE, LEASE, PAUSED, RETRY, ARCHIVED, COMPLETED = 1, 2, 3, 4, 5, 6, 7
local PROCESSED_DAY, FAILED_DAY, PROCESSED, FAILED = 8, 9, 10, 11
local MAX = 9223372036854775807

local prefix, weight = {}, {}
for q = 1, queues do
  prefix[q] = ARGV[11 + 2 * q]
  weight[q] = tonumber(ARGV[12 + 2 * q])
end
local function key(q, n) return KEYS[(q - 1) * 11 + n] end

-- Lists are handed to Redis in pieces: Lua cannot unpack thousands of values.
local function each_piece(list, size, run)
  for first = 1, #list, size do
    run(unpack(list, first, math.min(first + size - 1, #list)))
  end
end

local function release(lock, id)
  if lock ~= '' and try('GET', lock) == id then call('DEL', lock) end
end

local function trim(q, ids)
  for _, id in ipairs(ids) do
    call('DEL', prefix[q] .. id)
    call('ZREM', key(q, ARCHIVED), id)
  end
end

local function archive(q, id)
  local zset = key(q, ARCHIVED)
  call('ZADD', zset, now, id)
  trim(q, call('ZRANGEBYSCORE', zset, '-inf', ARGV[11], 'LIMIT', 0, 1000))
  local excess = call('ZCARD', zset) - tonumber(ARGV[12]) + 1
  if excess > 0 then trim(q, call('ZRANGE', zset, 0, math.min(excess, 1000) - 1)) end
end

-- Counting never undoes a settlement: a counter that holds something else is left as it is.
local function count(q, day, n)
  if n == 0 then return end
  if try('INCRBY', key(q, day), n) == n then call('EXPIREAT', key(q, day), day_end) end
end
local function count_all(q, processed, failed)
  count(q, PROCESSED_DAY, processed)
  count(q, FAILED_DAY, failed)
  local total = tonumber(try('GET', key(q, PROCESSED)) or 0)
  local command = (total and total >= MAX) and 'SET' or 'INCRBY'
  if processed > 0 then try(command, key(q, PROCESSED), processed) end
  if failed > 0 then try(command, key(q, FAILED), failed) end
end

-- Settle.
local at = 13 + 2 * queues
local settled, finished, processed, failed = {}, {}, {}, {}
for q = 1, queues do finished[q], processed[q], failed[q] = {}, 0, 0 end
local sizes = { d = 1, c = 5, r = 3, a = 2, q = 1 }
local unleased = {}
for q = 1, queues do unleased[q] = {} end
while at <= #ARGV do
  local q, kind, id, run = tonumber(ARGV[at]), ARGV[at + 1], ARGV[at + 2], ARGV[at + 3]
  local task, more = prefix[q] .. id, at + 5
  local lease = call('ZSCORE', key(q, LEASE), id)
  local applied = (try('HGET', task, 'x_run') or '') == run
    and (not lease or tonumber(lease) <= tonumber(ARGV[at + 4]))
    and call('LREM', key(q, ACTIVE), -1, id) == 1
  settled[#settled + 1] = applied and 1 or 0
  if applied then
    unleased[q][#unleased[q] + 1] = id
    if kind == 'd' then
      finished[q][#finished[q] + 1] = task
      release(ARGV[more], id)
      processed[q] = processed[q] + 1
    else
      if kind == 'c' then
        call('ZADD', key(q, COMPLETED), ARGV[more + 2], id)
        call('HSET', task, 'msg', ARGV[more + 1], 'state', 'completed')
        if ARGV[more + 3] == '1' then call('HSET', task, 'result', ARGV[more + 4]) end
        release(ARGV[more], id)
        processed[q] = processed[q] + 1
      elseif kind == 'r' then
        call('ZADD', key(q, RETRY), ARGV[more + 1], id)
        call('HSET', task, 'msg', ARGV[more], 'state', 'retry')
        if ARGV[more + 2] == '1' then
          processed[q], failed[q] = processed[q] + 1, failed[q] + 1
        end
      elseif kind == 'a' then
        if ARGV[more] == '1' then call('HSET', task, 'msg', ARGV[more + 1]) end
        call('HSET', task, 'state', 'archived')
        archive(q, id)
        processed[q], failed[q] = processed[q] + 1, failed[q] + 1
      else
        call('RPUSH', key(q, PENDING), id)
        call('HSET', task, 'state', 'pending', 'pending_since', nanos)
        if ARGV[more] == '1' then call('HINCRBY', task, 'x_crash', 1) end
      end
      call('HDEL', task, 'x_own', 'x_run')
    end
  end
  at = more + sizes[kind]
end
for q = 1, queues do
  each_piece(unleased[q], 500, function(...) call('ZREM', key(q, LEASE), ...) end)
  each_piece(finished[q], 500, function(...) call('DEL', ...) end)
  if processed[q] > 0 then count_all(q, processed[q], failed[q]) end
end

-- Lease.
local leased, dropped, paused = {}, {}, {}
local function take(q, wanted)
  local taken = 0
  -- A second round is needed only where IDs without a task were in the way.
  for _ = 1, 10 do
    if taken == wanted then break end
    local ids = call('LRANGE', key(q, PENDING), taken - wanted, -1)
    if #ids == 0 then break end
    call('LTRIM', key(q, PENDING), 0, -#ids - 1)
    local active, leases, seen = {}, {}, {}
    for i = #ids, 1, -1 do
      local id = ids[i]
      local task = prefix[q] .. id
      local msg = not seen[id] and try('HGET', task, 'msg')
      if type(msg) == 'string' then
        seen[id] = true
        call('HSET', task, 'state', 'active', 'x_own', ARGV[6], 'x_run', ARGV[7])
        call('HDEL', task, 'pending_since')
        active[#active + 1] = id
        leases[#leases + 1] = ARGV[5]
        leases[#leases + 1] = id
        leased[#leased + 1] = q
        leased[#leased + 1] = id
        leased[#leased + 1] = msg
      else
        dropped[#dropped + 1] = q
        dropped[#dropped + 1] = id
      end
    end
    each_piece(active, 500, function(...) call('LPUSH', key(q, ACTIVE), ...) end)
    each_piece(leases, 500, function(...) call('ZADD', key(q, LEASE), ...) end)
    taken = taken + #active
  end
  return taken
end

local slots = tonumber(ARGV[8])
local open = {}
for q = 1, queues do
  if weight[q] > 0 and slots > 0 then
    if call('EXISTS', key(q, PAUSED)) == 1 then
      paused[#paused + 1] = q
    else
      open[#open + 1] = q
    end
  end
end
if ARGV[9] == '1' or #open < 2 then
  for _, q in ipairs(open) do slots = slots - take(q, slots) end
else
  -- Each slot draws among the queues that still have tasks, by their weights.
  local waiting, share, total = {}, {}, 0
  for _, q in ipairs(open) do
    waiting[q], share[q] = call('LLEN', key(q, PENDING)), 0
    if waiting[q] > 0 then total = total + weight[q] end
  end
  math.randomseed(tonumber(ARGV[10]))
  while slots > 0 and total > 0 do
    local draw = math.random() * total
    local chosen
    for _, q in ipairs(open) do
      if waiting[q] > 0 then
        chosen = q
        draw = draw - weight[q]
        if draw < 0 then break end
      end
    end
    share[chosen] = share[chosen] + 1
    waiting[chosen] = waiting[chosen] - 1
    if waiting[chosen] == 0 then total = total - weight[chosen] end
    slots = slots - 1
  end
  for _, q in ipairs(open) do
    if share[q] > 0 then take(q, share[q]) end
  end
end
return { settled, leased, dropped, paused }

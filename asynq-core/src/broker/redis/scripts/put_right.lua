-- put_right: have an ID stand in one place and nowhere else, or nowhere, if it is as it was seen.
-- Begins with score.lua and standing.lua, which says how it is.
-- KEYS[1] asynq:{<queue>}:pending   list
-- KEYS[2] asynq:{<queue>}:groups    set
-- ARGV[1] id   ARGV[2] where it was met   ARGV[3] at which places of the pending list   ARGV[4] version that was seen
-- ARGV[5] the place where it is to stand; empty: nowhere, and what is stored under it is deleted
-- ARGV[6] its score there   ARGV[7] its state   ARGV[8] now, unix nanoseconds
-- Returns 1 done, 0 it is not as it was seen, or a key is of another kind.
local call = redis.call
local prefix, id, to, score = string.sub(KEYS[1], 1, -8), ARGV[1], ARGV[5], ARGV[6]
local task = prefix .. 't:' .. id
local standing = standing_of(prefix, id, ARGV[2], ARGV[3], true)
if standing[10] ~= ARGV[4] then return 0 end

local function key_of(place)
  local kind, name = string.match(place, '^([gs]):(.*)$')
  return prefix .. (kind and 'g:' .. name or place)
end

local function may_be(key, kind)
  local found = call('TYPE', key).ok
  return found == kind or found == 'none'
end

if to ~= '' and not may_be(key_of(to), (to == 'pending' or to == 'active') and 'list' or 'zset') then return 0 end
if to ~= '' and standing[1] ~= 'hash' then return 0 end
if to == 'active' and not may_be(prefix .. 'lease', 'zset') then return 0 end
if not may_be(KEYS[2], 'set') then return 0 end

local places = standing[7]
for at = 1, #places, 2 do
  local place = places[at]
  if place == 'active' and to ~= 'active' then
    call('LREM', key_of(place), 0, id)
  elseif place ~= to and place ~= 'active' then
    call('ZREM', key_of(place), id)
    local group = string.match(place, '^g:(.*)$')
    if group and call('EXISTS', key_of(place)) == 0 then call('SREM', KEYS[2], group) end
  end
end
local times = standing[6]
if to ~= 'pending' and times ~= 0 then
  if may_be(KEYS[1], 'list') then call('LREM', KEYS[1], 0, id) end
elseif to == 'pending' and times > 1 then
  -- The one that is next to run stays.
  call('LREM', KEYS[1], times - 1, id)
end
if to ~= 'active' and standing[5] ~= '' then call('ZREM', prefix .. 'lease', id) end

if to == '' then
  local lock = standing[1] == 'hash' and call('HGET', task, 'unique_key')
  if lock and lock ~= '' and redis.pcall('GET', lock) == id then call('DEL', lock) end
  if standing[1] == 'hash' then call('DEL', task) end
  return 1
end
if to == 'pending' then
  if times < 1 then
    -- What ran already, or should have, does not wait behind the others.
    call('RPUSH', KEYS[1], id)
    call('HSET', task, 'pending_since', ARGV[8])
  end
elseif to == 'active' then
  call('ZADD', prefix .. 'lease', 'NX', score, id)
else
  call('ZADD', key_of(to), score, id)
  local group = string.match(to, '^g:(.*)$')
  if group then
    call('SADD', KEYS[2], group)
    call('HSET', task, 'group', group)
  end
end
call('HSET', task, 'state', ARGV[7])
if to ~= 'active' then call('HDEL', task, 'x_own', 'x_run') end
if to ~= 'pending' and to ~= 'archived' then call('HDEL', task, 'pending_since') end
-- The group that it is to join later, once it is due or run by hand.
if to ~= 'scheduled' and to ~= 'archived' then call('HDEL', task, 'x_group') end
return 1

-- standing: what other scripts begin with, to find out where an ID stands and what is stored under it.
-- Whatever a key holds, it is only looked at: one of another kind than it should be holds no ID.
-- Without the command LPOS (before Redis 6.0.6, or where it is denied) a list of more than 20,000 is not searched.
-- Returns nothing: these are functions.
local LONGEST = 20000

-- How often an ID stands in a list, or whether it does; nothing where the list is too long.
local function times_in(list, id, all)
  local found = redis.pcall('LPOS', list, id, 'COUNT', all and 0 or 1)
  if not found.err then return #found end
  local length = redis.pcall('LLEN', list)
  if type(length) ~= 'number' then return 0 end
  if length > LONGEST then return nil end
  local times = 0
  for at = 0, length - 1, 1000 do
    for _, other in ipairs(redis.call('LRANGE', list, at, at + 999)) do
      if other == id then times = times + 1 end
    end
  end
  return times
end

local function score_in(set, id)
  local score = redis.pcall('ZSCORE', set, id)
  return type(score) == 'string' and score or nil
end

-- The aggregation sets that are known, but for all beyond a thousand.
local sets_read
local function known_sets(prefix)
  if not sets_read then
    sets_read = redis.pcall('ZRANGE', prefix .. 'aggregation_sets', 0, 999)
    if sets_read.err then sets_read = {} end
  end
  return sets_read
end

-- Places are active, scheduled, retry, archived, completed; g:<group>; s:<group>:<set id>.
local function places_of(prefix, id, group, seen)
  local places = {}
  local function add(place, key)
    local score = score_in(key, id)
    if score then
      places[#places + 1] = place
      places[#places + 1] = score
    end
  end
  if (times_in(prefix .. 'active', id, false) or 0) > 0 then places = { 'active', '0' } end
  for _, state in ipairs({ 'scheduled', 'retry', 'archived', 'completed' }) do add(state, prefix .. state) end
  local seen_kind, seen_name = string.match(seen, '^([gs]):(.*)$')
  if group ~= '' then add('g:' .. group, prefix .. 'g:' .. group) end
  if seen_kind and not (seen_kind == 'g' and seen_name == group) then add(seen, prefix .. 'g:' .. seen_name) end
  if group == '' or #places > 0 then return places end
  local of_group = prefix .. 'g:' .. group .. ':'
  for _, set in ipairs(known_sets(prefix)) do
    if string.sub(set, 1, #of_group) == of_group then add('s:' .. string.sub(set, #prefix + 3), set) end
  end
  return places
end

-- {kind, message, state, group, end of lease or empty, times in the pending list or -1, {place, score, ...}}
local function standing_of(prefix, id, seen, twice, search)
  local task = prefix .. 't:' .. id
  local kind = redis.call('TYPE', task).ok
  local fields = kind == 'hash' and redis.call('HMGET', task, 'msg', 'state', 'group') or {}
  local state, group = fields[2] or '', fields[3] or ''
  local places = places_of(prefix, id, group, seen)
  local pending = -1
  if search and (state == 'pending' or #places == 0 or seen == 'pending') then
    pending = times_in(prefix .. 'pending', id, twice) or -1
  elseif search then
    pending = 0
  end
  return { kind, fields[1] or false, state, group, score_in(prefix .. 'lease', id) or '', pending, places }
end

-- What differs when a standing does.
local function version_of(prefix, id, standing)
  local run = standing[1] == 'hash' and redis.call('HGET', prefix .. 't:' .. id, 'x_run') or ''
  local parts = { standing[1], standing[2] or '', standing[3], standing[4], standing[5], standing[6], run or '' }
  return redis.sha1hex(table.concat(parts, '\0') .. '\0' .. table.concat(standing[7], '\0'))
end

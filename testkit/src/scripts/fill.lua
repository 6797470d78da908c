-- Stores pending or archived tasks, or one task in each of as many groups. KEYS: pending, archived or groups; queues.
-- ARGV: queue, number of the first, how many, what comes before and behind the ID in the message, and when tasks
-- were archived.
local prefix = 'asynq:{' .. ARGV[1] .. '}:'
local kind = string.match(KEYS[1], '[^:]+$')
local state = kind == 'groups' and 'aggregating' or kind
redis.call('SADD', KEYS[2], ARGV[1])
for n = tonumber(ARGV[2]), tonumber(ARGV[2]) + tonumber(ARGV[3]) - 1 do
  local id = string.format('t%08d', n)
  redis.call('HSET', prefix .. 't:' .. id, 'msg', ARGV[4] .. id .. ARGV[5], 'state', state)
  if kind == 'pending' then
    redis.call('LPUSH', KEYS[1], id)
  elseif kind == 'archived' then
    redis.call('ZADD', KEYS[1], ARGV[6], id)
  else
    redis.call('HSET', prefix .. 't:' .. id, 'group', 'group-' .. id)
    redis.call('SADD', KEYS[1], 'group-' .. id)
    redis.call('ZADD', prefix .. 'g:group-' .. id, n, id)
  end
end

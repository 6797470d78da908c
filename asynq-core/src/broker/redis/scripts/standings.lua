-- standings: where IDs stand, and what is stored under them.
-- Begins with score.lua and standing.lua, which says so of one.
-- KEYS[1] asynq:{<queue>}:pending   list
-- ARGV[1] 1 also to search for tasks in that list   ARGV[2..] for each: id, where it was met or empty, and at which
--   places of that list, separated by commas
-- Returns for each what standing_of does.
local prefix, search = string.sub(KEYS[1], 1, -8), ARGV[1] == '1'
local answer = {}
for at = 2, #ARGV, 3 do
  answer[#answer + 1] = standing_of(prefix, ARGV[at], ARGV[at + 1], ARGV[at + 2], search)
end
return answer

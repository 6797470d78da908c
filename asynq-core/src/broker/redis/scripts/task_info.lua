-- task_info: read a task as it stands.
-- Begins with read_task.lua, which does it.
-- KEYS[1] asynq:{<queue>}:t:<id>   task hash
-- KEYS[2] asynq:{<queue>}:lease    sorted set
-- ARGV[1] task id   ARGV[2] queue key prefix
-- Returns what read_task.lua says.
return read_task(KEYS[1], KEYS[2], ARGV[2], ARGV[1])

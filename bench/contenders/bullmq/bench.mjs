// BullMQ in the modes of bench/modes, each with name=number settings. Tasks that are done are removed, as asynq does.

import { Queue, Worker } from "bullmq";

const [mode, ...given] = process.argv.slice(2);
const settings = Object.fromEntries(given.map((one) => [one.split("=")[0], Number(one.split("=")[1])]));
const [host, port] = process.env.ASYNQ_BENCH_REDIS.split(":");
const connection = { host, port: Number(port), maxRetriesPerRequest: null };
const options = { removeOnComplete: true };

const tell = (value) => process.stdout.write(`${JSON.stringify(value)}\n`);
const milliseconds = () => performance.timeOrigin + performance.now();
const sleep = (time) => new Promise((resolve) => setTimeout(resolve, time));

const FILLER = ".".repeat((settings.bytes ?? 101) - 61);

// A number as large as nanoseconds since 1970 is not exact here: milliseconds with a fraction are.
const job = (index) => ({ number: 10_000_000 + index, sent_ms: milliseconds(), filler: FILLER });

async function enqueue(queue) {
  let next = 0;
  const caller = async () => {
    while (next < settings.tasks) await queue.add("noop", job(next++), options);
  };
  await Promise.all(Array.from({ length: settings.callers }, caller));
}

async function enqueueAll(queue) {
  for (let first = 0; first < settings.tasks; first += settings.batch) {
    const count = Math.min(settings.batch, settings.tasks - first);
    await queue.addBulk(
      Array.from({ length: count }, (_, index) => ({ name: "noop", data: job(first + index), opts: options })),
    );
  }
}

async function produce(how) {
  const queue = new Queue("bench", { connection });
  await queue.waitUntilReady();
  const start = milliseconds();
  await how(queue);
  tell({ seconds: (milliseconds() - start) / 1e3 });
  await queue.close();
}

async function work() {
  let start = 0;
  let finished = 0;
  const handle = async () => {
    start ||= milliseconds();
    if (settings.sleep_ms) await sleep(settings.sleep_ms);
    finished += 1;
    if (mode === "drain" && finished === settings.tasks) tell({ seconds: (milliseconds() - start) / 1e3 });
  };
  const worker = new Worker("bench", handle, { connection, concurrency: settings.slots });
  worker.on("error", (error) => console.error(error));
  await worker.waitUntilReady();
  tell({ ready: true });
  process.stdin.resume();
  process.stdin.on("end", () => process.exit(0));
}

const modes = { enqueue: () => produce(enqueue), "enqueue-all": () => produce(enqueueAll), drain: work, worker: work };
if (!modes[mode]) throw new Error(`there is no mode \`${mode}\``);
await modes[mode]();

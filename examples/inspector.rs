//! Looks at a queue, mends it, and clears it away, without a server: `cargo run --example inspector`.

use std::time::Duration;

use asynq::inspector::{Collection, Inspector, Page, TaskEdit};
use asynq::{Client, Task, TaskOptions};

#[tokio::main]
async fn main() -> asynq::Result<()> {
    // In production: Client::connect("redis://127.0.0.1:6379").await?
    let client = Client::in_memory();
    for (id, to) in [("a", "ann@example.com"), ("b", "bob@example"), ("c", "eve@example.com")] {
        let task = Task::new("email:send", to)?;
        client.enqueue(task.options(TaskOptions::new().queue("mail").task_id(id))).await?;
    }

    let inspector = Inspector::new(&client);
    for queue in inspector.queues().await? {
        let info = inspector.queue_info(&queue).await?;
        println!(
            "queue {queue}: {} tasks, {} pending, oldest waits {:?}",
            info.size(),
            info.pending,
            info.latency
        );
    }

    // One task: look at it, correct it, put it off.
    let edit = TaskEdit::new().payload("bob@example.com").header("corrected-by", "ops");
    let edited = inspector.edit("mail", "b", edit.process_in(Duration::from_secs(3600))).await?;
    println!(
        "task {} is {} and goes to {}",
        edited.id,
        edited.state,
        String::from_utf8_lossy(&edited.payload)
    );
    inspector.run("mail", "b").await?;

    // Another queue, with everything a task has.
    let moved = inspector.move_task("mail", "c", "newsletter").await?;
    println!("task {} is in queue {}", moved.id, moved.queue);

    // Many tasks: page by page, as a stream, or all at once.
    let page = inspector.list("mail", Collection::Pending, Page::new(1, 10)?).await?;
    println!("first page: {:?}", page.tasks.iter().map(|task| task.id.as_str()).collect::<Vec<_>>());
    let archived = inspector.archive_all("mail", Collection::Pending).await?;
    println!("archived {} tasks", archived.changed);
    let mut tasks = inspector.tasks("mail", Collection::Archived).await?;
    while let Some(task) = tasks.next().await {
        println!("archived: {}", task?.id);
    }

    // What is refused says what to do.
    if let Err(refused) = inspector.delete_queue("mail").await {
        println!("refused: {refused}");
    }
    inspector.force_delete_queue("mail").await?;
    println!("queues left: {:?}", inspector.queues().await?);
    Ok(())
}

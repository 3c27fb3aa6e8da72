package io.github.pgendpoints.postgres;

import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.SynchronousQueue;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;

/**
 * The threads that ask nodes, as many as are needed. Where no more can be made, a task is rejected:
 * Camel takes an exception for the end of a step, and waits for ever after an Error.
 */
public final class ProbeThreads extends ThreadPoolExecutor {
  private static final int UNUSED_SECONDS = 60;

  /** Threads as Java makes them. */
  public ProbeThreads() {
    this(Thread::new);
  }

  /**
   * @param factory makes the threads
   */
  public ProbeThreads(ThreadFactory factory) {
    super(
        0,
        Integer.MAX_VALUE,
        UNUSED_SECONDS,
        TimeUnit.SECONDS,
        new SynchronousQueue<>(),
        task -> named(factory.newThread(task)));
  }

  private static Thread named(Thread thread) {
    thread.setName("probe-" + thread.getId());
    return thread;
  }

  @Override
  public void execute(Runnable task) {
    try {
      super.execute(task);
    } catch (OutOfMemoryError e) {
      // Of memory or of threads, such as a limit of processes.
      throw new RejectedExecutionException("no thread to ask a node with: " + e.getMessage(), e);
    }
  }
}

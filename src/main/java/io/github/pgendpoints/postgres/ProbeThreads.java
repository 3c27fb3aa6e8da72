package io.github.pgendpoints.postgres;

import java.util.concurrent.Executor;
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

  /** Java 21 has them, too, but until 24 each "synchronized" held one up, and others with it. */
  private static final int VIRTUAL_SINCE = 24;

  /** Threads of the operating system. */
  public ProbeThreads() {
    this(Thread::new);
  }

  public ProbeThreads(ThreadFactory factory) {
    super(
        0,
        Integer.MAX_VALUE,
        UNUSED_SECONDS,
        TimeUnit.SECONDS,
        new SynchronousQueue<>(),
        task -> named(factory.newThread(task)));
  }

  /**
   * Virtual threads where Java has them and no lock holds them up, else threads of the operating
   * system. They are not for what waits for a name server: few of those would hold up all others.
   * Nor for a run of one cycle, which they make a third of a second longer.
   */
  public static ProbeThreads cheapest() {
    if (Runtime.version().feature() < VIRTUAL_SINCE) {
      return new ProbeThreads();
    }
    try {
      Object builder = Thread.class.getMethod("ofVirtual").invoke(null);
      return new ProbeThreads(
          (ThreadFactory)
              Class.forName("java.lang.Thread$Builder").getMethod("factory").invoke(builder));
    } catch (ReflectiveOperationException e) {
      throw new IllegalStateException(e);
    }
  }

  /**
   * Makes daemons with a name, of the kind that an executor uses: of a hundred pools, each would
   * else have one or two threads of the operating system.
   *
   * @return null if the executor does not tell its kind
   */
  static ThreadFactory daemons(Executor like, String name) {
    if (!(like instanceof ProbeThreads probes)) {
      return null;
    }
    return task -> {
      Thread thread = probes.getThreadFactory().newThread(task);
      thread.setDaemon(true);
      thread.setName(name);
      return thread;
    };
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

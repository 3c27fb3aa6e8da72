package io.github.pgendpoints.postgres;

import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.SynchronousQueue;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;

/**
 * The threads that probe nodes, as many as needed. If no more can be created, a task is rejected:
 * Camel takes an exception as the end of a step, but waits forever after an Error.
 */
public final class ProbeThreads extends ThreadPoolExecutor {
  private static final int UNUSED_SECONDS = 60;

  /** Java 21 has virtual threads, too, but before 24, a "synchronized" could block all of them. */
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
   * Returns virtual threads if Java has them and no lock pins them, otherwise threads of the
   * operating system. Do not use them for tasks that wait for a name server: a few would block all
   * others. Do not use them for a run of one cycle: they make it a third of a second longer.
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
   * Returns a factory of named daemon threads of the kind that an executor uses. Otherwise, each of
   * a hundred pools would have one or two threads of the operating system.
   *
   * @return null if the executor is no {@code ProbeThreads}
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
      // Out of memory, or out of threads because of a limit of processes.
      throw new RejectedExecutionException(
          "no thread for the probe of a node: " + e.getMessage(), e);
    }
  }
}

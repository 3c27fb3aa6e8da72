package io.github.pgendpoints.management;

import java.lang.management.ManagementFactory;
import java.lang.management.MemoryPoolMXBean;
import java.lang.management.MemoryUsage;
import java.util.function.Supplier;

/**
 * The part of the heap for what lasts. The serial collector of Java 25 lets it grow up to the limit
 * of the heap before it looks for garbage there: a manager that is well would take it all in the
 * course of hours. That of Java 17 looks whenever it has grown, however little time there is. Other
 * collectors look by themselves.
 */
public final class OldGeneration {
  /** More than what a collection of the young generation mostly moves to the old one. */
  private static final long SPARE = 1 << 20;

  private final Supplier<MemoryUsage> usage;
  private final Runnable collector;

  /** That of this process. */
  public OldGeneration() {
    this(Pool::usage, System::gc);
  }

  /**
   * @param usage gives null where another collector is in use
   * @param collector collects all garbage
   */
  OldGeneration(Supplier<MemoryUsage> usage, Runnable collector) {
    this.usage = usage;
    this.collector = collector;
  }

  /**
   * Collects the garbage where this is about to grow, which takes about a tenth of a second. Java
   * then has it as large as what is left needs, and a little larger.
   */
  public void collectIfFull() {
    MemoryUsage now = usage.get();
    if (now != null && now.getCommitted() - now.getUsed() < SPARE) {
      collector.run();
    }
  }

  /** Looked up by the first who asks, since that takes a while. */
  private static final class Pool {
    /** Null with another collector than the serial one. */
    private static final MemoryPoolMXBean POOL =
        ManagementFactory.getMemoryPoolMXBeans().stream()
            .filter(pool -> pool.getName().equals("Tenured Gen"))
            .findAny()
            .orElse(null);

    static MemoryUsage usage() {
      return POOL == null ? null : POOL.getUsage();
    }
  }
}

package io.github.pgendpoints.management;

import java.lang.management.ManagementFactory;
import java.lang.management.MemoryPoolMXBean;
import java.lang.management.MemoryUsage;
import java.util.function.Supplier;

/**
 * The old generation of the heap. The serial collector of Java 25 lets it grow to the limit of the
 * heap before it collects garbage there: a healthy manager would use the whole heap within hours.
 * The serial collector of Java 17 collects whenever the generation has grown, even when time is
 * short. Other collectors do so by themselves.
 */
public final class OldGeneration {
  /** More than a collection of the young generation usually moves to the old one. */
  private static final long SPARE = 1 << 20;

  private final Supplier<MemoryUsage> usage;
  private final Runnable collector;

  public OldGeneration() {
    this(Pool::usage, System::gc);
  }

  /**
   * @param usage returns null if another collector is in use
   * @param collector collects all garbage
   */
  OldGeneration(Supplier<MemoryUsage> usage, Runnable collector) {
    this.usage = usage;
    this.collector = collector;
  }

  /**
   * Collects the garbage if the old generation is about to grow, which takes about a tenth of a
   * second. Java then makes it a little larger than the remaining objects need.
   */
  public void collectIfFull() {
    MemoryUsage now = usage.get();
    if (now != null && now.getCommitted() - now.getUsed() < SPARE) {
      collector.run();
    }
  }

  /** Looked up on first use, since that takes a while. */
  private static final class Pool {
    /** Null unless the serial collector is in use. */
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

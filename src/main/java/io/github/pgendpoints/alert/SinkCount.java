package io.github.pgendpoints.alert;

import java.util.concurrent.atomic.AtomicLong;

/** What became of a sink's alerts, however often it was stopped and started. */
public final class SinkCount {
  final AtomicLong sent = new AtomicLong();
  final AtomicLong failed = new AtomicLong();
  final AtomicLong dropped = new AtomicLong();
  final AtomicLong faults = new AtomicLong();

  /** Its route ended well. */
  public long sent() {
    return sent.get();
  }

  /** Its route failed. */
  public long failed() {
    return failed.get();
  }

  /** The queue was full. */
  public long dropped() {
    return dropped.get();
  }

  /** Its file was left out. */
  public long faults() {
    return faults.get();
  }
}

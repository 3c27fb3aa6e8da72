package io.github.pgendpoints.alert;

import java.util.concurrent.atomic.AtomicLong;

/**
 * What became of a sink's alerts, however often it was stopped and started.
 *
 * @param sent its route ended well
 * @param failed its route failed
 * @param dropped the queue was full
 * @param faults its file was left out
 */
public record SinkCount(AtomicLong sent, AtomicLong failed, AtomicLong dropped, AtomicLong faults) {
  SinkCount() {
    this(new AtomicLong(), new AtomicLong(), new AtomicLong(), new AtomicLong());
  }
}

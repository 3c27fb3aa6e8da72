package io.github.pgendpoints.alert;

import java.util.concurrent.atomic.AtomicLong;

/**
 * What happened to a sink's alerts, across all its stops and starts.
 *
 * @param sent alerts whose route succeeded
 * @param failed alerts whose route failed
 * @param dropped alerts that the full queue dropped
 * @param faults times that its file was left out
 */
public record SinkCount(AtomicLong sent, AtomicLong failed, AtomicLong dropped, AtomicLong faults) {
  SinkCount() {
    this(new AtomicLong(), new AtomicLong(), new AtomicLong(), new AtomicLong());
  }
}
